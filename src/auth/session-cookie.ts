import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config.js';
import { isLoopbackHost } from '../http/address.js';
import { isOAuthRequest } from '../http/oauth-problem.js';
import { type Problem, refused } from '../http/problem.js';
import type { Check } from './credentials.js';
import { type Presented, presentedToken } from './presented.js';
import { isSameOrigin } from './same-origin.js';
import { SESSION_SECONDS } from './sessions.sql.js';

const NAME = 'claviger';

/** No route has more. */
const MAX_SEGMENTS = 10;
/** Below the root; browsers ignore attributes that are longer. */
const COOKIE_PATH = /^\/[\x21-\x3a\x3c-\x7e]{1,1023}$/;

/**
 * The cookie in which a browser keeps a session that the panel has opened, out of reach of scripts. Over https its name has
 * the prefix `__Host-` (RFC 6265bis section 4.1.3.2): no other host, and nobody on a plain connection, can set it. A cookie
 * is a credential for sessions that were opened for one, never under `/oauth`, and only where there is no `Authorization`. Over
 * plain HTTP there is one for localhost alone: on a network everybody on the way could read it.
 */
@Injectable()
export class SessionCookies implements OnModuleInit {
  private readonly name: string;
  private readonly isSecure: boolean;
  private readonly isLocal: boolean;

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>) {
    this.isSecure = config.publicUrl.startsWith('https:');
    this.isLocal = isLocal(config.publicUrl);
    this.name = this.isSecure ? `__Host-${NAME}` : NAME;
  }

  onModuleInit(): void {
    if (this.isSecure || this.isLocal) return;
    new Logger('SessionCookies').warn(
      'PUBLIC_URL is plain HTTP and not localhost: nobody can log in to the panel. Serve it over https, and set PUBLIC_URL to that address.',
    );
  }

  /** The bearer token, else the session of the cookie. */
  presented(request: FastifyRequest): Presented {
    const values = this.valuesOf(request);
    if (values.length === 0) return presentedToken(request);
    if (!this.isFromHere(request)) return { reason: 'cross_site' };
    const [token = '', ...others] = values;
    return others.length > 0 ? { reason: 'malformed' } : { token, isCookie: true };
  }

  /** Whether nobody else can read what is sent to the address that the browser shows. */
  isPrivate({ headers }: FastifyRequest): boolean {
    return this.isSecure || (this.isLocal && isLocal(`http://${headers.host ?? ''}`));
  }

  /** Whether the request comes from this server's own pages, so that it may use the cookie and be given one. */
  isFromHere(request: FastifyRequest): boolean {
    return isSameOrigin(request, this.config.publicUrl);
  }

  /** Gives the browser the session with this token, for as long as it can last. */
  set(reply: FastifyReply, token: string): void {
    this.write(reply, token, SESSION_SECONDS);
  }

  /**
   * Takes the cookie from the browser when this very request has ended its session. A 401 does not: it may arrive after the next
   * login, and would take that one's cookie. A dead cookie stays until a login replaces it, or its 12 hours are over.
   */
  takeBack(request: FastifyRequest, reply: FastifyReply, check: Check | null): void {
    const values = this.valuesOf(request);
    if (values.length > 1) this.dropStrays(request, reply);
    if (!check?.ok || check.credential.kind !== 'session' || reply.statusCode >= 400) return;
    if (check.credential.hasEnded === true && values.length > 0) this.write(reply, '', 0);
  }

  /**
   * Takes back what somebody else has put beside the cookie, under a longer path: on localhost, the servers of all other ports
   * can. Requests with two are refused, as nobody knows whose session is meant; those after this answer have ours alone.
   */
  private dropStrays(request: FastifyRequest, reply: FastifyReply): void {
    for (const path of pathsBelowRoot(request.url)) this.write(reply, '', 0, path);
  }

  private write(reply: FastifyReply, value: string, maxAge: number, path = '/'): void {
    const { name, isSecure: secure } = this;
    const attributes = { maxAge, path, httpOnly: true, secure, sameSite: 'strict' } as const;
    reply.header('Set-Cookie', stringifySetCookie({ name, value, ...attributes }));
  }

  /** All values of the cookie, as they were sent; none where it is no credential. */
  private valuesOf(request: FastifyRequest): string[] {
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined || cookie === undefined || isOAuthRequest(request)) return [];
    if (!this.isPrivate(request)) return [];
    // Pair by pair, because the parser shows only the first of several with one name.
    return cookie
      .split(';')
      .map((pair) => parseCookie(pair, { decode: (value) => value })[this.name])
      .filter((value) => value !== undefined);
  }
}

/** 403 `cookie_needs_https`: a login without the cookie would work. */
export function cookieNeedsHttps(): Problem {
  return refused(
    'cookie_needs_https',
    'Over plain HTTP the session cookie is for localhost alone. Serve this server over https, and set PUBLIC_URL to that address.',
  );
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}

/** The `Path`s below `/` with which a browser sends a cookie along with this request (RFC 6265 section 5.1.4); pure. */
function pathsBelowRoot(url: string): string[] {
  const [path = ''] = url.split('?');
  const names = path.split('/').slice(1, 1 + MAX_SEGMENTS);
  const prefixes = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  return prefixes
    .flatMap((prefix) => [prefix, `${prefix}/`])
    .filter((one) => COOKIE_PATH.test(one));
}
