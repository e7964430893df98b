import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Check, Credentials } from './credentials.js';
import type { Presented } from './presented.js';
import { whenThere } from '../http/at-once.js';
import { routeOf } from '../http/route.js';
import { SessionCookies } from './session-cookie.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The one credential check of this request, once somebody has asked; a promise only where it had to be waited for. */
    identity?: Check | Promise<Check>;
    /** What the caller has shown, once somebody has asked. */
    presented?: Presented;
  }
}

/**
 * Who is calling: one memoized credential check per request. The passport strategy asks, and so
 * does the audit gate where no guard ran (404, 405, 413, 415, malformed JSON).
 */
@Injectable()
export class Identifier {
  constructor(
    private readonly credentials: Credentials,
    private readonly cookies: SessionCookies,
  ) {}

  /**
   * Checks what a caller has signed (RFC 7523), for one request, maybe more than once. Who knows such assertions puts
   * itself here; until then there are none.
   */
  checkAssertion: (assertion: string, request: FastifyRequest) => Promise<Check> = () =>
    Promise.resolve({ ok: false, reason: 'unsupported_scheme' });

  /** What the caller shows, in the way of the route. */
  presented(request: FastifyRequest): Presented {
    const { presented } = routeOf(request).config;
    return (request.presented ??=
      presented === undefined ? this.cookies.presented(request) : presented(request));
  }

  /** The request's check; at once where the cache has it. Errors: `DatabaseUnavailableError`. */
  identify(request: FastifyRequest): Check | Promise<Check> {
    return (request.identity ??= this.check(request, isSafe(request)));
  }

  /**
   * The check of whoever shows a credential at a public route that has a use for one; undefined for everybody else. A cookie comes
   * along unasked, so one that is no good, or comes from a page of another site, counts as none, on the trail too. What stands in
   * `Authorization` was meant. Errors: `DatabaseUnavailableError`.
   */
  async identifyIfShown(request: FastifyRequest): Promise<Check | undefined> {
    const check = await this.identify(request);
    if (check.ok || request.headers.authorization !== undefined) return check;
    delete request.identity;
    return undefined;
  }

  /** Checks again in the database, because the first answer rested on a stale cache entry. */
  async again(request: FastifyRequest): Promise<Check> {
    return (request.identity = this.check(request, false));
  }

  private check(request: FastifyRequest, mayCache: boolean): Check | Promise<Check> {
    const shown = this.presented(request);
    if ('reason' in shown) return { ok: false, reason: shown.reason };
    if ('assertion' in shown) {
      return this.checkAssertion(shown.assertion, request).then((check) =>
        requireAccount(check, shown),
      );
    }
    const { token, isCookie } = shown;
    if (isCookie === true) return this.credentials.cookie(token);
    const check = this.credentials.check(token, mayCache);
    return whenThere(check, (one) => requireAccount(requireOwnAudience(one), shown));
  }
}

/** What changes nothing may rest on the cache; everything else reads its credential afresh. */
function isSafe(request: FastifyRequest): boolean {
  const { method } = request;
  return method === 'GET' || method === 'HEAD' || routeOf(request).config.isSafe === true;
}

/** Whoever gets an access token that was made for them cannot turn it against this server. */
function requireOwnAudience(check: Check): Check {
  if (!check.ok || check.credential.kind === 'session') return check;
  const { credential } = check;
  if (credential.accessToken?.isOwn !== false) return check;
  return { ok: false, reason: 'other_audience', key: { ...credential, verified: true } };
}

/**
 * A caller that says which account it is must have shown a key of that account; an access token is no secret that could
 * stand beside an id.
 */
function requireAccount(
  check: Check,
  { accountId, isSecret }: { accountId?: string; isSecret?: boolean },
): Check {
  if (!check.ok || accountId === undefined) return check;
  const { credential } = check;
  if (credential.kind === 'session') return { ok: false, reason: 'client_mismatch' };
  const key = { ...credential, verified: true };
  if (isSecret === true && credential.accessToken !== null) {
    return { ok: false, reason: 'access_token_as_secret', key };
  }
  return credential.accountId === accountId ? check : { ok: false, reason: 'client_mismatch', key };
}
