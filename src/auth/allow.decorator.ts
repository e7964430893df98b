import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import { RouteSettings } from '../http/route.js';
import type { Permission } from './permissions.js';

/**
 * What a route asks of its caller: a permission in the path's organization, or
 * - `any`: any good credential
 * - `user`: a person's session
 * - `serviceAccount`: a service account's key
 * - `instanceAdministrator`: a person who administers the whole instance
 */
export type Access = Permission | 'any' | 'user' | 'serviceAccount' | 'instanceAdministrator';

/** Opens a route to callers with this access. A route without it or {@link Public} stops the boot. */
export function Allow(access: Access): MethodDecorator {
  return applyDecorators(
    RouteSettings({ access }),
    ApiBearerAuth(),
    ApiExtension('x-required-permission', access),
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by {@link Public}; known before any guard runs. */
    isPublic?: boolean;
    /** Set by {@link Allow}. */
    access?: Access;
  }
}

/** Opens a route to everybody, without looking at credentials. */
export function Public(): MethodDecorator {
  return RouteSettings({ isPublic: true });
}
