import type { FastifyRequest } from 'fastify';

/** Why there is nothing to check. */
type NothingToCheck =
  | 'missing'
  | 'several_credentials'
  | 'unsupported_scheme'
  | 'malformed'
  | 'client_mismatch'
  | 'cross_site';

/** What a caller shows to say who it is. */
export type Presented =
  | {
      token: string;
      /** The service account that the caller says it is (OAuth's `client_id`); the key must be one of its keys. */
      accountId?: string;
      /** A session's token, from the cookie of the panel. */
      isCookie?: true;
      /** Shown as that account's secret, and not as a bearer. */
      isSecret?: boolean;
    }
  | {
      /** Signed by the caller (RFC 7523). */
      assertion: string;
      accountId?: string;
    }
  | { reason: NothingToCheck };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How callers of this route present their credential, where that is not by bearer token or session cookie. */
    presented?: (request: FastifyRequest) => Presented;
    /** A POST that changes nothing: its credential may come from the cache, as that of a GET. */
    isSafe?: boolean;
  }
}

const NAME = 'authorization';
const BEARER = /^bearer (\S+)$/i;

/** The bearer token of the `Authorization` header (RFC 6750 section 2.1; the scheme in any case). */
export function presentedToken(request: FastifyRequest): Presented {
  const header = request.headers.authorization;
  if (header === undefined) return { reason: 'missing' };
  if (hasSeveralAuthorizations(request)) return { reason: 'several_credentials' };
  const match = BEARER.exec(header);
  if (match?.[1] !== undefined) return { token: match[1] };
  return { reason: /^bearer\b/i.test(header) ? 'malformed' : 'unsupported_scheme' };
}

/** Node shows only the first of several such headers, so they are counted in the raw ones. */
export function hasSeveralAuthorizations({ raw }: FastifyRequest): boolean {
  const { rawHeaders } = raw;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === NAME.length && name.toLowerCase() === NAME) count += 1;
  }
  return count > 1;
}
