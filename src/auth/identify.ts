import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { parseToken } from '../crypto/token.js';
import { Instance } from '../database/instance.js';
import { type Check, Credentials } from './credentials.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The one credential check of this request, once somebody has asked. */
    identity?: Promise<Check>;
  }
}

const BEARER = /^bearer (\S+)$/i;

/**
 * Who is calling: one memoized credential check per request. The passport strategy asks, and so
 * does the audit gate where no guard ran (404, 405, 413, 415, malformed JSON).
 */
@Injectable()
export class Identifier {
  constructor(
    private readonly credentials: Credentials,
    private readonly instance: Instance,
  ) {}

  /** The request's check. Errors: `DatabaseUnavailableError`. */
  identify(request: FastifyRequest): Promise<Check> {
    return (request.identity ??= this.check(request, isSafe(request.method)));
  }

  /** Checks again in the database, because the first answer rested on a stale cache entry. */
  again(request: FastifyRequest): Promise<Check> {
    return (request.identity = this.check(request, false));
  }

  private async check(request: FastifyRequest, mayCache: boolean): Promise<Check> {
    const credential = presentedToken(request);
    if ('reason' in credential) return { ok: false, reason: credential.reason };
    const parsed = parseToken(this.instance.tokenPrefix, credential.token);
    if (parsed === undefined || parsed.family === 'once') return { ok: false, reason: 'malformed' };
    return parsed.family === 'key'
      ? this.credentials.key(credential.token, `key_${parsed.suffix}`, mayCache)
      : this.credentials.session(credential.token, `ses_${parsed.suffix}`);
  }
}

/** GET and HEAD may rest on the cache; everything else reads its credential afresh. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * The token of the `Authorization` header (RFC 6750 section 2.1; the scheme in any case). Node shows
 * only the first of several such headers, so they are counted in the raw ones.
 */
export function presentedToken(
  request: FastifyRequest,
):
  | { token: string }
  | { reason: 'missing' | 'several_credentials' | 'unsupported_scheme' | 'malformed' } {
  const header = request.headers.authorization;
  if (header === undefined) return { reason: 'missing' };
  const { rawHeaders } = request.raw;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') count += 1;
  }
  if (count > 1) return { reason: 'several_credentials' };
  const match = BEARER.exec(header);
  if (match?.[1] !== undefined) return { token: match[1] };
  return { reason: /^bearer\b/i.test(header) ? 'malformed' : 'unsupported_scheme' };
}
