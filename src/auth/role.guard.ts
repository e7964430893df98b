import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.js';
import { type Access, ALLOW_METADATA, PUBLIC_METADATA } from './allow.decorator.js';
import { type AccessQuestion, authenticate, authorize } from './authorize.js';
import type { Check } from './credentials.js';
import { Identifier } from './identify.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was asked when the guards decided; absent on public routes and before the guards. */
    question?: AccessQuestion;
    /** The caller, once the guards have let it in. */
    actor?: Actor;
    /** Computes the answer again, for routes whose answer rests on credentials: the caller's own, or that of a `subject`. */
    recompute?: (actor: Actor) => unknown;
  }
}

/** Global: 404 for other organizations, 403 for addresses and permissions; sets `request.actor`. */
@Injectable()
export class RoleGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly identifier: Identifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const handler = context.getHandler();
    if (this.reflector.get<boolean>(PUBLIC_METADATA, handler)) return true;
    const access = this.reflector.get<Access | undefined>(ALLOW_METADATA, handler);
    if (access === undefined) throw new Error(`no access declared for ${handler.name}`);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const check = await this.identifier.identify(request);
    try {
      decide(request, access, check);
    } catch (refusal) {
      // The cache may be behind a grant that has already returned: nobody is refused by it.
      if (!check.ok || !check.cached) throw refusal;
      decide(request, access, await this.identifier.again(request));
    }
    return true;
  }
}

/** Decides about a request and notes question and actor on it. Errors: `Problem`. */
export function decide(request: FastifyRequest, access: Access, check: Check): Actor {
  const { organizationId } = request.params as { organizationId?: string };
  const { id, ip, userAgent } = request.context;
  const ifMatch = request.headers['if-match'];
  request.question = { access, organizationId, request: { id, ip, userAgent, ifMatch } };
  return (request.actor = authorize(authenticate(check), request.question));
}
