import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { unauthorized } from '../http/problem.js';
import { routeOf } from '../http/route.js';
import { authenticate } from './authorize.js';
import type { BearerRequest } from './bearer.strategy.js';
import { Identifier } from './identify.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What passport sees of this request. */
    bearer?: BearerRequest;
  }
}

/** Global: answers 401 to whoever has no good credential on a route that is not public. */
@Injectable()
export class BearerGuard extends AuthGuard('bearer') {
  constructor(private readonly identifier: Identifier) {
    super({ property: 'credential', session: false });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { isPublic, presented } = routeOf(request).config;
    if (isPublic === true) return true;
    await super.canActivate(context);
    if (request.bearer?.credential) return true;
    // Passport says only no; what exactly was wrong decides between 400 and the 401s.
    authenticate(await this.identifier.identify(request));
    // It knows bearer tokens only; some routes let clients present their credential otherwise.
    if (presented !== undefined) return true;
    throw unauthorized('invalid');
  }

  /**
   * Passport works on this view, so that it neither reads body and query nor decorates the request. To it the session of a cookie
   * is a bearer token.
   */
  override getRequest(context: ExecutionContext): BearerRequest {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const presented = this.identifier.presented(request);
    const isCookie = 'token' in presented && presented.isCookie === true;
    return (request.bearer = {
      headers: {
        authorization: isCookie ? `Bearer ${presented.token}` : request.headers.authorization,
      },
      identify: () => this.identifier.identify(request),
    });
  }

  override handleRequest<T>(error: unknown, credential: T): T {
    if (error) throw error as Error;
    return credential;
  }
}
