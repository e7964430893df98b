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

/** What {@link Allow} may say besides the access. */
export interface AllowOptions {
  /**
   * True for what hands out access, weakens a protection or cannot be undone (docs/decisions/0025): a person must have proved
   * their password a short while ago. Service accounts have none, and are not concerned.
   */
  dangerous?: boolean;
}

/** Opens a route to callers with this access. A route without it or {@link Public} stops the boot. */
export function Allow(access: Access, { dangerous = false }: AllowOptions = {}): MethodDecorator {
  return applyDecorators(
    RouteSettings({ access, dangerous }),
    ApiBearerAuth(),
    ApiExtension('x-required-permission', access),
    ...(dangerous ? [ApiExtension('x-requires-reauthentication', true)] : []),
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by {@link Public}; known before any guard runs. */
    isPublic?: boolean;
    /** Set by {@link Allow}. */
    access?: Access;
    /** Set by {@link Allow}: {@link AllowOptions.dangerous}. */
    dangerous?: boolean;
  }
}

/** Opens a route to everybody, without looking at credentials. */
export function Public(): MethodDecorator {
  return RouteSettings({ isPublic: true });
}
