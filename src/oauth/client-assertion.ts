import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { type AssertingKey, AssertingKeys } from '../auth/asserting-keys.js';
import type { Check, RefusalReason } from '../auth/credentials.js';
import { Identifier } from '../auth/identify.js';
import { CONFIG, type Config } from '../config.js';
import { isId } from '../crypto/id.js';
import { algorithmsOf, type PublicJwk } from '../keys/public-jwk.js';

const MAX_LENGTH = 8_000;
const MAX_JTI_LENGTH = 256;
/** How far ahead an assertion may expire: so long its `jti` must be remembered. */
const MAX_LIFETIME_MS = 600_000;
/** The clients' clocks are not the database's. */
const SKEW_MS = 30_000;

const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
/** As most libraries write it, and as the revision of RFC 7523 does. */
const TYPES: readonly unknown[] = [undefined, 'JWT', 'jwt', 'client-authentication+jwt'];

/** What an assertion says, once its signature has been found good. */
interface Claims {
  iss?: unknown;
  sub?: unknown;
  aud?: unknown;
  exp?: unknown;
  nbf?: unknown;
  iat?: unknown;
  jti?: unknown;
}

/**
 * Clients that sign who they are with a private key (`private_key_jwt`, RFC 7523 sections 2.2 and 3). The header's `kid`
 * names one of the account's keys, whose public key is registered here; each assertion works once, on all instances.
 */
@Injectable()
export class ClientAssertions implements OnModuleInit {
  private readonly firstChecks = new WeakMap<FastifyRequest, { keyId: string; check: Check }>();
  private readonly audiences: ReadonlySet<unknown>;

  constructor(
    private readonly keys: AssertingKeys,
    private readonly identifier: Identifier,
    @Inject(CONFIG) { publicUrl }: Pick<Config, 'publicUrl'>,
  ) {
    this.audiences = new Set([publicUrl, `${publicUrl}/oauth/token`]);
  }

  onModuleInit(): void {
    this.identifier.checkAssertion = (assertion, request) => this.check(assertion, request);
  }

  /**
   * Checks the assertion of a request. Asked again for the same request it reads the key again: the assertion has been used,
   * but by this very request. Errors: `DatabaseUnavailableError`.
   */
  async check(assertion: string, request: FastifyRequest): Promise<Check> {
    const first = this.firstChecks.get(request);
    if (first?.check.ok) {
      return (await this.keys.find(first.keyId))?.check ?? { ok: false, reason: 'unknown' };
    }
    const header = headerOf(assertion);
    if (header === undefined) return { ok: false, reason: 'malformed' };
    const check = await this.verify(assertion, header);
    this.firstChecks.set(request, { keyId: header.keyId, check });
    return check;
  }

  private async verify(assertion: string, { keyId, algorithm }: Header): Promise<Check> {
    const key = await this.keys.find(keyId);
    if (key === undefined) return { ok: false, reason: 'unknown' };
    const { unverified } = key;
    const publicKey = key.publicKey as PublicJwk;
    if (!algorithmsOf(publicKey).includes(algorithm)) {
      return { ok: false, reason: 'assertion_algorithm', key: unverified };
    }
    const claims = await claimsOf(assertion, publicKey, algorithm);
    if (claims === undefined) return { ok: false, reason: 'bad_signature', key: unverified };
    const refusedKey = { ...unverified, verified: true };
    const reason = claimsFault(claims, key, this.audiences);
    if (reason !== undefined) return { ok: false, reason, key: refusedKey };
    if (!key.check.ok) return key.check;
    const { jti, exp } = claims as { jti: string; exp: number };
    // Remembered longer than it is good: a later statement by a later clock must not have forgotten it.
    if (await this.keys.use(key, jti, exp * 1_000 + 2 * SKEW_MS)) return key.check;
    return { ok: false, reason: 'assertion_replayed', key: refusedKey };
  }
}

interface Header {
  keyId: string;
  algorithm: string;
}

/** What the header says of itself; undefined where it cannot be an assertion. Whether it is right the key tells. */
function headerOf(assertion: string): Header | undefined {
  if (assertion.length > MAX_LENGTH || !JWT.test(assertion)) return undefined;
  try {
    const { alg, kid, typ } = decodeProtectedHeader(assertion);
    if (typeof alg !== 'string' || !TYPES.includes(typ)) return undefined;
    return typeof kid === 'string' && isId('key', kid) ? { keyId: kid, algorithm: alg } : undefined;
  } catch {
    return undefined; // no JSON
  }
}

/** Undefined unless the holder of the private key has signed it, in this algorithm. */
async function claimsOf(
  assertion: string,
  publicKey: PublicJwk,
  algorithm: string,
): Promise<Claims | undefined> {
  const key = await importJWK({ ...publicKey }, algorithm);
  try {
    const { payload } = await compactVerify(assertion, key, { algorithms: [algorithm] });
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** Why the claims are not those of RFC 7523 section 3, by the database's clock. */
function claimsFault(
  { iss, sub, aud, exp, nbf, iat, jti }: Claims,
  { accountId, now }: AssertingKey,
  audiences: ReadonlySet<unknown>,
): RefusalReason | undefined {
  if (iss !== accountId || sub !== accountId) return 'assertion_subject';
  // Whoever it is for besides could show it here in the client's name (draft-ietf-oauth-rfc7523bis).
  const [audience, ...others] = [aud].flat();
  if (!audiences.has(audience) || others.length > 0) return 'assertion_audience';
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) return 'assertion_jti';
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'assertion_expiry';
  if (exp * 1_000 <= now - SKEW_MS) return 'assertion_expired';
  if (exp * 1_000 > now + MAX_LIFETIME_MS + SKEW_MS) return 'assertion_expiry';
  const isEarly = (time: unknown) =>
    time !== undefined && !(typeof time === 'number' && time * 1_000 <= now + SKEW_MS);
  return isEarly(nbf) || isEarly(iat) ? 'assertion_early' : undefined;
}
