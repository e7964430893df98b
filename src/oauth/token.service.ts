import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { record } from '../audit/record.js';
import {
  ACCESS_TOKEN_ALGORITHM,
  ACCESS_TOKEN_TYPE,
  MAX_ACCESS_TOKEN_LENGTH,
} from '../auth/access-token.js';
import type { Actor } from '../auth/actor.js';
import type { KeyCredential } from '../auth/credentials.js';
import { missingPermissions } from '../auth/permissions.js';
import { CONFIG, type Config } from '../config.js';
import { DatabaseService } from '../database/database.service.js';
import { badRequest, type Problem, unauthorized, unavailable } from '../http/problem.js';
import { SigningKeysService } from '../signing-keys/signing-keys.service.js';
import type { TokenAnswer, TokenInput } from './token.dto.js';

/** A scheme, and no white space (RFC 3986 section 4.3); a fragment is refused apart. */
const ABSOLUTE_URI = /^[a-z][a-z0-9+.-]*:[\x21\x23-\x7e]+$/i;

/** Makes access tokens (RFC 6749 section 4.4, RFC 9068). */
@Injectable()
export class TokenService {
  constructor(
    private readonly database: DatabaseService,
    private readonly signingKeys: SigningKeysService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl' | 'accessTokenSeconds'>,
  ) {}

  /**
   * An access token for the key that the client has shown: no more than the key may do, for no longer than it lives. The
   * answer leaves only while all of that still holds. Errors: 400 `unsupported_grant_type`, `invalid_scope`,
   * `invalid_target`, `unauthorized_client`; 401 when the key has just ended; `DatabaseUnavailableError`.
   */
  async issue(actor: Actor, request: FastifyRequest, input: TokenInput): Promise<TokenAnswer> {
    requireClientCredentials(input);
    const key = keyOf(actor);
    const scope = scopeOf(input.scope, key);
    const audience = audienceOf(input.resource ?? [], this.config.publicUrl);
    const { kid, privateKey, now } = await this.signingKeys.signer();
    const expiresAt = Math.min(now + this.config.accessTokenSeconds, endOf(key));
    if (expiresAt <= now) throw unauthorized('invalid');
    const jti = randomUUID();
    const token = await new SignJWT({
      client_id: key.accountId,
      ...asMember(scope),
      organization_id: key.organizationId,
      username: key.accountName,
      key_id: key.keyId,
    })
      .setProtectedHeader({ alg: ACCESS_TOKEN_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid })
      .setIssuer(this.config.publicUrl)
      .setSubject(key.accountId)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .setJti(jti)
      .sign(privateKey);
    requireRoom(token);
    await this.recordIssued(actor, key, { jti, scope, audience, expiresAt });
    const answer: TokenAnswer = {
      access_token: token,
      token_type: 'Bearer',
      expires_in: expiresAt - now,
      ...asMember(scope),
    };
    request.isConditional = true;
    request.recompute = async (again) => {
      // All signing keys may have been revoked: the token would be dead on arrival.
      if ((await this.signingKeys.signer()).kid !== kid) throw signerChanged();
      return stillGood(keyOf(again), scope, expiresAt, answer);
    };
    return answer;
  }

  private recordIssued(
    actor: Actor,
    key: KeyCredential,
    token: { jti: string; scope: string[]; audience: string | string[]; expiresAt: number },
  ): Promise<void> {
    const { jti, scope, audience } = token;
    const expiresAt = new Date(token.expiresAt * 1_000).toISOString();
    return this.database.tenant(key.organizationId, (tx) => {
      record(tx, actor, 'access_token.issued', {
        organizationId: key.organizationId,
        targets: [
          { type: 'accessToken', id: jti, name: key.keyName },
          { type: 'key', id: key.keyId, name: key.keyName },
          { type: 'serviceAccount', id: key.accountId, name: key.accountName },
        ],
        details: { jti, scope, audience, expiresAt },
      });
      return Promise.resolve();
    });
  }
}

function requireClientCredentials({ grant_type }: TokenInput): void {
  if (grant_type === 'client_credentials') return;
  throw badRequest('unsupported_grant_type', 'The grant type must be client_credentials.');
}

/** An access token would otherwise live for ever, and outlive what it was narrowed to. */
function keyOf({ credential }: Actor): KeyCredential {
  if (credential?.kind !== 'key') throw new Error('only service accounts get here');
  if (credential.accessToken === null) return credential;
  const detail =
    'An access token cannot be turned into another one: authenticate with the key itself.';
  throw badRequest('unauthorized_client', detail);
}

/** Sorted, each once. RFC 6749 section 3.3. */
function scopeOf(wanted: string | undefined, { permissions }: KeyCredential): string[] {
  if (wanted === undefined) return [...permissions].sort();
  const scope = [...new Set(wanted.split(' ').filter((one) => one !== ''))].sort();
  if (scope.length === 0) throw badRequest('invalid_scope', 'A scope names a permission at least.');
  const missing = missingPermissions(scope, permissions);
  if (missing.length === 0) return scope;
  // They may be anything, and as long as the form.
  const named = missing.slice(0, 5).map((one) => one.slice(0, 128));
  throw badRequest('invalid_scope', `The key does not have: ${named.join(' ')}.`);
}

/** A scope has one permission at least (RFC 6749 section 3.3): a token of a key that has none says nothing of scope. */
function asMember(scope: readonly string[]): { scope?: string } {
  return scope.length === 0 ? {} : { scope: scope.join(' ') };
}

/** RFC 8707 section 2. */
function audienceOf(resources: readonly string[], issuer: string): string | string[] {
  const wrong = resources.find((one) => !ABSOLUTE_URI.test(one) || one.includes('#'));
  if (wrong !== undefined || !resources.every((one) => URL.canParse(one))) {
    throw badRequest('invalid_target', 'A resource must be an absolute URI without a fragment.');
  }
  const [first = issuer, ...more] = new Set(resources);
  return more.length === 0 ? first : [first, ...more];
}

/** Unix seconds. */
function endOf({ expiresAt }: KeyCredential): number {
  return expiresAt === null ? Infinity : Math.floor(expiresAt / 1_000);
}

function requireRoom(token: string): void {
  if (token.length <= MAX_ACCESS_TOKEN_LENGTH) return;
  const detail =
    'So many permissions do not fit into a header: name in scope those that are needed.';
  throw badRequest('invalid_scope', detail);
}

function signerChanged(): Problem {
  return unavailable('signing_key_changed', 'The signing key has just changed: ask again.');
}

/** Something has changed since the key was read. What was signed cannot be narrowed any more: it does not leave. */
function stillGood(
  key: KeyCredential,
  scope: readonly string[],
  expiresAt: number,
  answer: TokenAnswer,
): TokenAnswer {
  if (missingPermissions(scope, key.permissions).length === 0 && expiresAt <= endOf(key)) {
    return answer;
  }
  throw badRequest('invalid_scope', 'What the key may do has changed just now: ask again.');
}
