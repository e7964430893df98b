import { Injectable } from '@nestjs/common';
import { Pepper } from '../crypto/pepper.js';
import { parseToken } from '../crypto/token.js';
import { DatabaseService, type RawStatement } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { Metrics } from '../http/metrics.js';
import {
  ACCESS_TOKEN_STATEMENT,
  type AccessTokenRow,
  KEY_STATEMENT,
  type KeyRow,
  REHASH_KEY_STATEMENT,
  REHASH_SESSION_STATEMENT,
  SESSION_STATEMENT,
  type SessionRow,
  TOUCH_SESSION_STATEMENT,
} from './credentials.sql.js';
import { type AccessTokenClaims, AccessTokens, looksLikeAccessToken } from './access-token.js';
import { CredentialCache } from './credential-cache.js';
import { effectivePermissions, rolePermissions } from './permissions.js';

/** A good key, with everything that access rests on, as one statement read it. */
export interface KeyCredential {
  kind: 'key';
  keyId: string;
  keyName: string;
  /** Null for a key with a public key. */
  obfuscatedToken: string | null;
  accountId: string;
  accountName: string;
  organizationId: string;
  organizationName: string;
  role: { key: string; name: string };
  /** Effective: role ∩ key, and of an access token also ∩ its scope. */
  permissions: ReadonlySet<string>;
  /** What the key is restricted to; null: nothing, it has all of the role's. */
  keyPermissions: readonly string[] | null;
  /** What an access token was narrowed to; null for the key itself. */
  scope: readonly string[] | null;
  /** The access token that was presented; null for the key itself. */
  accessToken: AccessTokenCredential | null;
  /** Networks the key may be used from; empty: any. */
  allowedCidrs: readonly string[];
  /** How often a minute the key may use one operation. */
  requestsPerMinute: number;
  /** Unix milliseconds. */
  createdAt: number;
  /** When the key ends: Unix milliseconds, or null. */
  keyExpiresAt: number | null;
  /** Set when the key has a successor; `deprecatedAt`: when that was made, Unix milliseconds. */
  replacedBy: { deprecatedAt: number } | null;
  /** When the credential ends, an access token maybe before its key: Unix milliseconds, or null. */
  expiresAt: number | null;
  /** The organization's auth_epoch in the same snapshot. */
  epoch: number;
}

/** What is particular to an access token, and not to its key. */
export interface AccessTokenCredential {
  jti: string;
  /** Whom it may be shown to. */
  audience: readonly string[];
  /** Whether that is this server, so that it is a credential here. */
  isOwn: boolean;
  /** Unix milliseconds. */
  issuedAt: number;
  /** Unix milliseconds. */
  expiresAt: number;
}

/** A person's place in one organization. */
export interface MembershipCredential {
  organizationId: string;
  organizationName: string;
  organizationStatus: 'active' | 'suspended';
  /** How often a minute each session may use one operation in it. */
  requestsPerMinute: number;
  role: { key: string; name: string };
  permissions: ReadonlySet<string>;
}

/** A good session with the person's active memberships. Never cached. */
export interface SessionCredential {
  kind: 'session';
  sessionId: string;
  userId: string;
  email: string;
  name: string;
  instanceAdministrator: boolean;
  /** When the session ends at the latest: Unix milliseconds. */
  expiresAt: number;
  /** When the person last proved their password: Unix milliseconds. */
  authenticatedAt: number;
  /** That is too long ago for what is dangerous. */
  proofDue: boolean;
  /** Set when the request itself has ended the session that it was made with. */
  hasEnded?: boolean;
  memberships: readonly MembershipCredential[];
}

export type Credential = KeyCredential | SessionCredential;

/** Why a credential was refused; stands on the trail, never in an answer. */
export type RefusalReason =
  | 'missing'
  | 'unsupported_scheme'
  | 'malformed'
  | 'cross_site'
  | 'several_credentials'
  | 'client_mismatch'
  | 'unknown'
  | 'wrong_secret'
  | 'access_token_expired'
  | 'access_token_revoked'
  | 'access_token_as_secret'
  | 'other_audience'
  | 'unknown_signing_key'
  | 'signing_key_revoked'
  | 'bad_signature'
  | 'assertion_algorithm'
  | 'assertion_subject'
  | 'assertion_audience'
  | 'assertion_jti'
  | 'assertion_expiry'
  | 'assertion_expired'
  | 'assertion_early'
  | 'assertion_replayed'
  | 'revoked'
  | 'expired'
  | 'account_disabled'
  | 'account_deleted'
  | 'organization_suspended'
  | 'organization_deleted'
  | 'session_ended'
  | 'session_expired'
  | 'session_idle';

/** What is known of the owner of a refused key; `verified` says whether the secret was right. */
export interface RefusedKey {
  verified: boolean;
  keyId: string;
  keyName: string;
  accountId: string;
  accountName: string;
  organizationId: string;
  /** The access token that was shown, where it has not itself ended: its key or account might be made good again. */
  accessToken?: Pick<AccessTokenCredential, 'jti' | 'expiresAt'> | null;
}

/** The outcome of one credential check. */
export type Check =
  | { ok: true; credential: Credential; cached: boolean }
  | { ok: false; reason: RefusalReason; key?: RefusedKey };

const MEGABYTE = 1_000_000;

/**
 * The credential check: tokens in, credentials out. Answers may come from a cache
 * whose entries the audit gate proves right, request by request (`docs/architecture.md`).
 * Errors: `DatabaseUnavailableError`.
 */
@Injectable()
export class Credentials {
  /** Enough for the busy keys of a large instance. */
  private readonly keys = new CredentialCache(20_000, 64 * MEGABYTE);
  /** Apart, as clients make as many as they like: they push out each other only. */
  private readonly tokens = new CredentialCache(10_000, 32 * MEGABYTE);

  constructor(
    private readonly database: DatabaseService,
    private readonly pepper: Pepper,
    private readonly metrics: Metrics,
    private readonly instance: Instance,
    private readonly accessTokens: AccessTokens,
  ) {}

  /**
   * Checks a token of any kind that can be a bearer: a key's, a session's, or an access token for whatever audience. With
   * `mayCache` the answer may rest on the cache, but for a session; then it says so, and is there at once. What this server cannot
   * have made is refused without any look-up.
   */
  check(token: string, mayCache: boolean): Check | Promise<Check> {
    return (mayCache ? this.known(token) : undefined) ?? this.read(token, mayCache);
  }

  /**
   * What the caches know of a token. By its hash alone: whatever is in there was read and checked when it was put in, so on the way
   * that most requests take neither shape nor checksum is looked at again.
   */
  known(token: string): Check | undefined {
    const isAccessToken = looksLikeAccessToken(token);
    const hash = this.pepper.hash(isAccessToken ? 'access' : 'key', token);
    const credential = (isAccessToken ? this.tokens : this.keys).get(hash);
    if (credential === undefined) return undefined;
    this.metrics.lookup(true);
    return { ok: true, credential, cached: true };
  }

  /** As {@link check}, when {@link known} has been asked in vain, or may not be. */
  async read(token: string, mayCache: boolean): Promise<Check> {
    const parsed = parseToken(this.instance.tokenPrefix, token);
    if (parsed?.family === 'session') return this.session('session', token, `ses_${parsed.suffix}`);
    const isKey = parsed?.family === 'key';
    if (!isKey && !looksLikeAccessToken(token)) return { ok: false, reason: 'malformed' };
    if (mayCache) this.metrics.lookup(false);
    return isKey ? this.key(token, `key_${parsed.suffix}`) : this.accessToken(token);
  }

  private async key(token: string, keyId: string): Promise<Check> {
    const hash = this.pepper.hash('key', token);
    const [row] = await this.database.raw<KeyRow>(KEY_STATEMENT, [keyId]);
    const match = this.pepper.match('key', token, row?.tokenHash, hash);
    const check = judgeKey(row, match !== undefined);
    if (check.ok && match === 'previous') {
      this.rehash(REHASH_KEY_STATEMENT, [keyId, hash, row?.tokenHash]);
    }
    return remembered(this.keys, hash, check);
  }

  private async accessToken(token: string): Promise<Check> {
    const hash = this.pepper.hash('access', token);
    const claims = await this.accessTokens.read(token);
    if (typeof claims === 'string') {
      return remembered(this.tokens, hash, { ok: false, reason: claims });
    }
    const { keyId, jti, kid, expiresAt } = claims;
    const values = [keyId, jti, kid, expiresAt];
    const [row] = await this.database.raw<AccessTokenRow>(ACCESS_TOKEN_STATEMENT, values);
    const check = judgeAccessToken(row, claims, this.accessTokens.isOwn(claims));
    return remembered(this.tokens, hash, check);
  }

  /** Checks what a cookie holds: the token of a session that was opened for it, and nothing else. */
  async cookie(token: string): Promise<Check> {
    const parsed = parseToken(this.instance.tokenPrefix, token);
    if (parsed?.family !== 'cookie') return { ok: false, reason: 'malformed' };
    return this.session('cookie', token, `ses_${parsed.suffix}`);
  }

  /** Checks a session's token, always in the database, and notes (once a minute) that it is in use. */
  async session(kind: 'session' | 'cookie', token: string, sessionId: string): Promise<Check> {
    const hash = this.pepper.hash(kind, token);
    const [row] = await this.database.raw<SessionRow>(SESSION_STATEMENT, [sessionId]);
    const match = this.pepper.match(kind, token, row?.tokenHash, hash);
    const check = checkSession(row, match !== undefined);
    if (check.ok && row?.touchDue) {
      // A lost touch only makes the session idle a minute early.
      this.database.raw(TOUCH_SESSION_STATEMENT, [sessionId]).catch(() => undefined);
    }
    if (check.ok && match === 'previous') {
      this.rehash(REHASH_SESSION_STATEMENT, [sessionId, hash, row?.tokenHash]);
    }
    return check;
  }

  /** Stores a good token under the pepper of today. Nobody waits for it: what is lost is done at the next use. */
  private rehash(statement: RawStatement, values: unknown[]): void {
    this.database.raw(statement, [...values, this.pepper.version]).catch(() => undefined);
  }
}

/** Keeps what was found of the token with this hash; of a bad one nothing is kept. */
function remembered(cache: CredentialCache, hash: Buffer, check: Check): Check {
  if (check.ok) cache.set(hash, check.credential as KeyCredential);
  else cache.delete(hash);
  return check;
}

/** Decides about a key that was found by its id; `verified` says whether the caller has shown that it is theirs. */
export function judgeKey(row: KeyRow | undefined, verified: boolean): Check {
  if (row === undefined) return { ok: false, reason: 'unknown' };
  const key = refusedKey(row, verified);
  if (!verified) return { ok: false, reason: 'wrong_secret', key };
  const reason = keyFault(row);
  if (reason !== undefined) return { ok: false, reason, key };
  return { ok: true, credential: toKeyCredential(row), cached: false };
}

/** What may be told of the key on the trail. */
export function refusedKey(row: KeyRow, verified: boolean): RefusedKey {
  return {
    verified,
    keyId: row.keyId,
    keyName: row.keyName,
    accountId: row.accountId,
    accountName: row.accountName,
    organizationId: row.organizationId,
  };
}

/** An access token is worth what its key is worth, and no more than its scope says. */
function judgeAccessToken(
  row: AccessTokenRow | undefined,
  claims: AccessTokenClaims,
  isOwn: boolean,
): Check {
  if (row !== undefined && !row.signatureHolds) {
    // Whoever has got hold of a signing key is not the account that they name.
    return { ok: false, reason: 'signing_key_revoked', key: refusedKey(row, false) };
  }
  const check = judgeKey(row, true);
  if (row === undefined) return check;
  const fault = accessTokenFault(row);
  if (fault !== undefined) return { ok: false, reason: fault, key: refusedKey(row, true) };
  if (!check.ok) {
    const { jti, expiresAt } = claims;
    return { ...check, key: { ...refusedKey(row, true), accessToken: { jti, expiresAt } } };
  }
  const key = check.credential as KeyCredential;
  if (key.accountId !== claims.accountId || key.organizationId !== claims.organizationId) {
    return { ok: false, reason: 'malformed' };
  }
  const { scope, jti, audience, issuedAt, expiresAt } = claims;
  const credential: KeyCredential = {
    ...key,
    permissions: new Set(effectivePermissions([...key.permissions], scope)),
    scope,
    accessToken: { jti, audience, isOwn, issuedAt, expiresAt },
    expiresAt: Math.min(expiresAt, key.keyExpiresAt ?? Infinity),
  };
  return { ok: true, credential, cached: false };
}

function accessTokenFault(row: AccessTokenRow): RefusalReason | undefined {
  if (row.accessTokenExpired) return 'access_token_expired';
  return row.accessTokenRevoked ? 'access_token_revoked' : undefined;
}

function keyFault(row: KeyRow): RefusalReason | undefined {
  if (row.organizationDeleted) return 'organization_deleted';
  if (row.organizationStatus !== 'active') return 'organization_suspended';
  if (row.accountDeleted) return 'account_deleted';
  if (row.accountStatus !== 'active') return 'account_disabled';
  if (row.revoked) return 'revoked';
  if (row.expired) return 'expired';
  return undefined;
}

function toKeyCredential(row: KeyRow): KeyCredential {
  const keyPermissions = row.allPermissions ? null : row.permissions;
  const role = rolePermissions({
    key: row.roleKey,
    builtIn: row.roleBuiltIn,
    permissions: row.rolePermissions,
  });
  return {
    kind: 'key',
    keyId: row.keyId,
    keyName: row.keyName,
    obfuscatedToken: row.obfuscatedToken,
    accountId: row.accountId,
    accountName: row.accountName,
    organizationId: row.organizationId,
    organizationName: row.organizationName,
    role: { key: row.roleKey, name: row.roleName },
    permissions: new Set(effectivePermissions(role, keyPermissions)),
    keyPermissions,
    scope: null,
    accessToken: null,
    allowedCidrs: row.allowedCidrs,
    requestsPerMinute: row.requestsPerMinute,
    createdAt: row.createdAt,
    keyExpiresAt: row.expiresAt,
    replacedBy: row.replacedAt === null ? null : { deprecatedAt: row.replacedAt },
    expiresAt: row.expiresAt,
    epoch: row.epoch,
  };
}

function checkSession(row: SessionRow | undefined, verified: boolean): Check {
  if (row === undefined) return { ok: false, reason: 'unknown' };
  if (!verified) return { ok: false, reason: 'wrong_secret' };
  if (row.ended) return { ok: false, reason: 'session_ended' };
  if (row.expired) return { ok: false, reason: 'session_expired' };
  if (row.idle) return { ok: false, reason: 'session_idle' };
  const credential: SessionCredential = {
    kind: 'session',
    sessionId: row.sessionId,
    userId: row.userId,
    email: row.email,
    name: row.name,
    instanceAdministrator: row.instanceAdministrator,
    expiresAt: row.expiresAt,
    authenticatedAt: row.authenticatedAt,
    proofDue: row.proofDue,
    memberships: row.memberships.map(toMembership),
  };
  return { ok: true, credential, cached: false };
}

function toMembership(row: SessionRow['memberships'][number]): MembershipCredential {
  const { roleKey: key, roleName: name, roleBuiltIn: builtIn, ...organization } = row;
  const { rolePermissions: permissions, ...place } = organization;
  const held = new Set(rolePermissions({ key, builtIn, permissions }));
  return { ...place, role: { key, name }, permissions: held };
}
