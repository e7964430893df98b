import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiForbiddenResponse, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { problemContent } from '../http/problem-content.js';
import { Optional } from '../http/validators.js';
import { crossSite } from './same-origin.js';
import { cookieNeedsHttps, SessionCookies } from './session-cookie.js';

/** Not among the answers that every public operation has. */
const FORBIDDEN = {
  description:
    'The cookie was asked for by a page of another server, by no page at all, or over plain HTTP on a network (`cookie_needs_https`).',
  content: problemContent(crossSite()),
};

/** For the field `cookie` of what logs somebody in: true for a page of this server that wants no token in its hands. */
export function WantsCookie(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'boolean',
      example: false,
      description:
        'For the panel: true sets the session as a cookie that scripts cannot read, and leaves `token` out of the answer. The request must come from a page of this server (403 `cross_site_request`), over https or on localhost (403 `cookie_needs_https`).',
    }),
    Optional(),
    IsBoolean(),
  );
}

/** For handlers whose answer may show the `token` of a new session: they understand {@link WantsCookie}. */
export function LogsIn(): MethodDecorator {
  return applyDecorators(UseInterceptors(LoginCookieInterceptor), ApiForbiddenResponse(FORBIDDEN));
}

/**
 * Puts the token of an answer into the cookie. It is asked before anything is done whether the request comes from here, and by a
 * way that nobody can read: a foreign page must not be able to log its visitors in as somebody else.
 */
@Injectable()
class LoginCookieInterceptor implements NestInterceptor {
  constructor(private readonly cookies: SessionCookies) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if ((request.body as { cookie?: unknown } | null)?.cookie !== true) return next.handle();
    if (!this.cookies.isPrivate(request)) throw cookieNeedsHttps();
    if (!this.cookies.isFromHere(request)) throw crossSite();
    return next.handle().pipe(
      map(({ token, ...answer }: { token?: string }) => {
        if (token !== undefined) this.cookies.set(http.getResponse<FastifyReply>(), token);
        return answer;
      }),
    );
  }
}
