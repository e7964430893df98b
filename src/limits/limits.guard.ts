import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Identifier } from '../auth/identify.js';
import { decide } from '../auth/role.guard.js';
import { whenThere } from '../http/at-once.js';
import { hideLimit } from './rate-limit.js';
import { enforceLimit, RequestLimits } from './request-limits.js';

/** Global, after the guards of credential and role: 429 to a caller that has used an operation up. */
@Injectable()
export class LimitsGuard implements CanActivate {
  constructor(
    private readonly limits: RequestLimits,
    private readonly identifier: Identifier,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const credential = request.actor?.credential;
    if (credential == null) return true; // a public route
    const reply = http.getResponse<FastifyReply>();
    const isOver = this.limits.count(request, reply, credential);
    return whenThere(isOver, (over) => (over ? this.refuse(request, reply) : true));
  }

  /** Throws, unless the limit came from the cache and has been raised since: nobody is refused by the cache. */
  private async refuse(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    let check = await this.identifier.identify(request);
    if (check.ok && check.cached && request.question !== undefined) {
      check = await this.identifier.again(request);
      if (!check.ok) hideLimit(reply);
      decide(request, request.question.access, check);
    }
    if (check.ok) enforceLimit(request, reply, check.credential);
    return true;
  }
}
