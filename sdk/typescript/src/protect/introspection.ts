import { createHash } from 'node:crypto';
import { fetchJson, metadataOf } from './metadata.js';
import {
  InvalidTokenError,
  type TokenVerifier,
  type VerifiedToken,
  VerifierUnavailableError,
} from './verified-token.js';

/** How to ask the server about tokens. */
export interface IntrospectionOptions {
  /** The Claviger server's origin, like `https://claviger.example.com`. */
  issuer: string;
  /**
   * The token of a service account of the same organization with the role `verifier`, or what answers one for each question: so
   * the token can be renewed while the API runs.
   */
  token: string | (() => string | Promise<string>);
  /**
   * This API's own URL: what clients name as `resource` when they ask for an access token. Keys are good here in any case; access
   * tokens only when they were made for this audience, and none without it, so that nobody can pass on a token that was shown
   * to them.
   */
  audience?: string;
  /**
   * For how long a good answer may be used again, in seconds; 5 unless said otherwise, 0 for not at all. A revocation holds
   * here at the latest after this time.
   */
  cacheSeconds?: number;
  /** How many good answers are kept; 10,000 unless said otherwise. */
  maxCached?: number;
  /** How long each answer may take, the server's and that of a `token` function, in milliseconds; 3,000 unless said otherwise. */
  timeoutMs?: number;
}

/** An active answer (RFC 7662 section 2.2). */
interface ActiveToken {
  active: true;
  client_id: string;
  username: string;
  organization_id: string;
  /** Absent when the token permits nothing. */
  scope?: string;
  jti: string;
  exp?: number;
  /** Of access tokens only. */
  aud?: string | string[];
}

interface Cached {
  answer: Promise<VerifiedToken>;
  /** By `performance.now()`: counted from when it was asked, so that it is never older than promised. */
  until: number;
}

/**
 * Asks the server about every token (RFC 7662), at most once in a few seconds about the same one from the same address. Only
 * good answers are kept. Takes keys and JWTs alike.
 */
export function introspectionVerifier(options: IntrospectionOptions): TokenVerifier {
  const {
    issuer,
    audience,
    token: ownToken,
    cacheSeconds = 5,
    maxCached = 10_000,
    timeoutMs = 3_000,
  } = options;
  if (!issuer || !ownToken) throw new TypeError('an introspection verifier needs issuer and token');
  const metadata = metadataOf(issuer, timeoutMs);
  const cache = new Map<string, Cached>();

  async function own(): Promise<string> {
    if (typeof ownToken === 'string') return ownToken;
    try {
      return await inTime(ownToken(), timeoutMs);
    } catch (error) {
      throw new VerifierUnavailableError('the verifier does not get its own token', {
        cause: error,
      });
    }
  }

  async function ask(token: string, clientIp?: string): Promise<VerifiedToken> {
    const { introspection_endpoint: endpoint } = await metadata();
    const form = new URLSearchParams({ token, ...(clientIp && { client_ip: clientIp }) });
    const answer = await fetchJson<ActiveToken | { active: false }>(endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${await own()}`, accept: 'application/json' },
      body: form,
      timeoutMs,
    });
    if (!answer.active) throw new InvalidTokenError('the token is not active');
    requireAudience(answer, audience);
    return toVerifiedToken(answer);
  }

  function keep(id: string, answer: Promise<VerifiedToken>): void {
    const entry = { answer, until: performance.now() + cacheSeconds * 1_000 };
    cache.delete(id);
    cache.set(id, entry);
    const drop = (): unknown => cache.get(id) === entry && cache.delete(id);
    answer.then(({ expiresAt }) => {
      if (expiresAt === null) return;
      entry.until = Math.min(entry.until, performance.now() + expiresAt.getTime() - Date.now());
    }, drop);
    // The oldest is the first: entries are put behind whenever they are asked for anew.
    for (const oldest of cache.keys()) {
      if (cache.size <= maxCached) break;
      cache.delete(oldest);
    }
  }

  return {
    verify(token, clientIp) {
      if (cacheSeconds <= 0) return ask(token, clientIp);
      const id = cacheId(token, clientIp);
      const cached = cache.get(id);
      if (cached !== undefined && performance.now() < cached.until) return cached.answer;
      const answer = ask(token, clientIp);
      keep(id, answer);
      return answer;
    },
  };
}

/** Rejects with a `TimeoutError` when the answer has not come after so many milliseconds. */
async function inTime<T>(answer: T | Promise<T>, milliseconds: number): Promise<T> {
  const signal = AbortSignal.timeout(milliseconds);
  const end = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([answer, end]);
}

/** Keys have no audience. */
function requireAudience({ aud }: ActiveToken, audience: string | undefined): void {
  if (aud === undefined || (audience !== undefined && [aud].flat().includes(audience))) return;
  throw new InvalidTokenError('the token is for another API');
}

/** Tokens themselves are not kept in memory. */
function cacheId(token: string, clientIp = ''): string {
  return createHash('sha256').update(`${clientIp}\0${token}`).digest('base64');
}

function toVerifiedToken(answer: ActiveToken): VerifiedToken {
  return {
    clientId: answer.client_id,
    username: answer.username,
    organizationId: answer.organization_id,
    scope: new Set(answer.scope?.split(' ').filter((permission) => permission !== '')),
    tokenId: answer.jti,
    expiresAt: answer.exp === undefined ? null : new Date(answer.exp * 1_000),
  };
}
