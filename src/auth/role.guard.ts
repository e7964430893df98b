import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.js';
import type { Access } from './allow.decorator.js';
import { type AccessQuestion, authenticate, authorize } from './authorize.js';
import type { Check } from './credentials.js';
import { Identifier } from './identify.js';
import { requireProof } from './proof.js';
import { whenThere } from '../http/at-once.js';
import { routeOf } from '../http/route.js';

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

/**
 * Global: 404 for other organizations, 403 for addresses and permissions, 401 to people who must prove their password anew; sets
 * `request.actor`.
 */
@Injectable()
export class RoleGuard implements CanActivate {
  constructor(private readonly identifier: Identifier) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { isPublic, access } = routeOf(request).config;
    if (isPublic === true) return true;
    if (access === undefined) throw new Error('no access is declared for this route');
    return whenThere(this.identifier.identify(request), (check) =>
      this.letIn(request, access, check),
    );
  }

  private letIn(request: FastifyRequest, access: Access, check: Check): boolean | Promise<boolean> {
    try {
      decide(request, access, check);
      return true;
    } catch (refusal) {
      // The cache may be behind a grant that has already returned: nobody is refused by it.
      if (!check.ok || !check.cached) throw refusal;
      return this.identifier.again(request).then((again) => {
        decide(request, access, again);
        return true;
      });
    }
  }
}

/** Decides about a request and notes question and actor on it. Errors: `Problem`. */
export function decide(request: FastifyRequest, access: Access, check: Check): Actor {
  const { organizationId } = request.params as { organizationId?: string };
  const { id, ip, userAgent } = request.context;
  const ifMatch = request.headers['if-match'];
  request.question = { access, organizationId, request: { id, ip, userAgent, ifMatch } };
  const credential = authenticate(check);
  const actor = authorize(credential, request.question);
  // Last, so that nobody is asked for a password for what they may not do. Only here: what takes long goes on when it is due meanwhile.
  if (routeOf(request).config.dangerous === true) requireProof(credential);
  return (request.actor = actor);
}
