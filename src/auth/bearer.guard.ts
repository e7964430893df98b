import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import { unauthorized } from '../http/problem.js';
import { routeOf } from '../http/route.js';
import { authenticate } from './authorize.js';
import type { BearerRequest } from './bearer.strategy.js';
import { Identifier } from './identify.js';

/**
 * Passport's way to the strategy, for all requests: Nest's own AuthGuard puts it together, with its options and two promises, for
 * each. What the strategy accepts becomes `credential`; a refusal is told as an error, and not answered by passport itself.
 */
const askPassport = passport.authenticate('bearer', {
  session: false,
  assignProperty: 'credential',
  authInfo: false,
  failWithError: true,
}) as (request: BearerRequest, response: object, next: (error?: Error) => void) => void;

/** Where passport writes what it would answer; nobody reads it. */
const NO_RESPONSE = { statusCode: 0, setHeader: (): void => undefined };

/** Global: answers 401 to whoever has no good credential on a route that is not public. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(private readonly identifier: Identifier) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (routeOf(request).config.isPublic === true) return true;
    const view = this.viewOf(request);
    const waiting = ask(view);
    return waiting === undefined && view.credential !== undefined
      ? true
      : this.letIn(request, view, waiting);
  }

  private async letIn(
    request: FastifyRequest,
    view: BearerRequest,
    waiting: Promise<void> | undefined,
  ): Promise<boolean> {
    await waiting;
    if (view.credential !== undefined) return true;
    // Passport says only no; what exactly was wrong decides between 400 and the 401s.
    authenticate(await this.identifier.identify(request));
    // It knows bearer tokens only; some routes let clients present their credential otherwise.
    if (routeOf(request).config.presented !== undefined) return true;
    throw unauthorized('invalid');
  }

  /**
   * Passport works on this view, so that it neither reads body and query nor decorates the request. To it the session of a cookie
   * is a bearer token.
   */
  private viewOf(request: FastifyRequest): BearerRequest {
    const presented = this.identifier.presented(request);
    const isCookie = 'token' in presented && presented.isCookie === true;
    const authorization = isCookie ? `Bearer ${presented.token}` : request.headers.authorization;
    return {
      headers: authorization === undefined ? {} : { authorization },
      identify: () => this.identifier.identify(request),
    };
  }
}

/** Has passport ask the strategy; a promise only where it has to be waited for. Errors: the strategy's own, not its refusal. */
function ask(view: BearerRequest): Promise<void> | undefined {
  let isAnswered = false;
  let failure: Error | undefined;
  let tell: () => void = () => undefined;
  askPassport(view, NO_RESPONSE, (error) => {
    isAnswered = true;
    failure = error;
    tell();
  });
  const end = (): void => {
    if (failure !== undefined && failure.name !== 'AuthenticationError') throw failure;
  };
  if (isAnswered) return void end();
  return new Promise<void>((resolve) => (tell = resolve)).then(end);
}
