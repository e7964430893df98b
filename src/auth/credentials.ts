import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Pepper, sameHash } from '../crypto/pepper.js';
import { DatabaseService } from '../database/database.service.js';
import { Metrics } from '../http/metrics.js';
import {
  KEY_STATEMENT,
  type KeyRow,
  SESSION_STATEMENT,
  type SessionRow,
  TOUCH_SESSION_STATEMENT,
} from './credentials.sql.js';
import { effectivePermissions, rolePermissions } from './permissions.js';

/** A good key, with everything that access rests on, as one statement read it. */
export interface KeyCredential {
  kind: 'key';
  keyId: string;
  keyName: string;
  obfuscatedToken: string;
  accountId: string;
  accountName: string;
  organizationId: string;
  organizationName: string;
  role: { key: string; name: string };
  /** Effective: role ∩ key. */
  permissions: ReadonlySet<string>;
  /** What the key is restricted to; null: nothing, it has all of the role's. */
  keyPermissions: readonly string[] | null;
  /** Networks the key may be used from; empty: any. */
  allowedCidrs: readonly string[];
  /** How often a minute the key may use one operation. */
  requestsPerMinute: number;
  /** Unix milliseconds, or null. */
  expiresAt: number | null;
  /** The organization's auth_epoch in the same snapshot. */
  epoch: number;
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
  memberships: readonly MembershipCredential[];
}

export type Credential = KeyCredential | SessionCredential;

/** Why a credential was refused; stands on the trail, never in an answer. */
export type RefusalReason =
  | 'missing'
  | 'unsupported_scheme'
  | 'malformed'
  | 'several_credentials'
  | 'unknown'
  | 'wrong_secret'
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
}

/** The outcome of one credential check. */
export type Check =
  | { ok: true; credential: Credential; cached: boolean }
  | { ok: false; reason: RefusalReason; key?: RefusedKey };

/** Enough for the busy keys of a large instance, at about 1 KB an entry. */
const CACHE_ENTRIES = 20_000;

/** Compared against when there is no row, so that an unknown id costs what a wrong secret costs. */
const NOBODY = Buffer.alloc(32);

/**
 * The credential check: tokens in, credentials out. Answers of {@link key} may come from a cache
 * whose entries the audit gate proves right, request by request (`docs/architecture.md`).
 * Errors: `DatabaseUnavailableError`.
 */
@Injectable()
export class Credentials {
  private readonly cache = new LRUCache<string, KeyCredential>({ max: CACHE_ENTRIES });

  constructor(
    private readonly database: DatabaseService,
    private readonly pepper: Pepper,
    private readonly metrics: Metrics,
  ) {}

  /** Checks a key's token. With `mayCache` the answer may rest on the cache and then says so. */
  async key(token: string, keyId: string, mayCache: boolean): Promise<Check> {
    const hash = this.pepper.hash('key', token);
    const cacheKey = hash.toString('base64');
    if (mayCache) {
      const credential = this.cache.get(cacheKey);
      this.metrics.lookup(credential !== undefined);
      if (credential !== undefined) return { ok: true, credential, cached: true };
    }
    const [row] = await this.database.raw<KeyRow>(KEY_STATEMENT, [keyId]);
    const check = checkKey(row, hash);
    if (check.ok) this.cache.set(cacheKey, check.credential as KeyCredential);
    else this.cache.delete(cacheKey);
    return check;
  }

  /** Checks a session's token, always in the database, and notes (once a minute) that it is in use. */
  async session(token: string, sessionId: string): Promise<Check> {
    const hash = this.pepper.hash('session', token);
    const [row] = await this.database.raw<SessionRow>(SESSION_STATEMENT, [sessionId]);
    const check = checkSession(row, hash);
    if (check.ok && row?.touchDue) {
      // A lost touch only makes the session idle a minute early.
      this.database.raw(TOUCH_SESSION_STATEMENT, [sessionId]).catch(() => undefined);
    }
    return check;
  }
}

function matches(stored: Uint8Array | undefined, hash: Buffer): boolean {
  return sameHash(stored ?? NOBODY, hash) && stored !== undefined;
}

function checkKey(row: KeyRow | undefined, hash: Buffer): Check {
  const verified = matches(row?.tokenHash, hash);
  if (row === undefined) return { ok: false, reason: 'unknown' };
  const key: RefusedKey = {
    verified,
    keyId: row.keyId,
    keyName: row.keyName,
    accountId: row.accountId,
    accountName: row.accountName,
    organizationId: row.organizationId,
  };
  if (!verified) return { ok: false, reason: 'wrong_secret', key };
  const reason = keyFault(row);
  if (reason !== undefined) return { ok: false, reason, key };
  return { ok: true, credential: toKeyCredential(row), cached: false };
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
    allowedCidrs: row.allowedCidrs,
    requestsPerMinute: row.requestsPerMinute,
    expiresAt: row.expiresAt,
    epoch: row.epoch,
  };
}

function checkSession(row: SessionRow | undefined, hash: Buffer): Check {
  const verified = matches(row?.tokenHash, hash);
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
    memberships: row.memberships.map((membership) => ({
      organizationId: membership.organizationId,
      organizationName: membership.organizationName,
      organizationStatus: membership.organizationStatus,
      requestsPerMinute: membership.requestsPerMinute,
      role: { key: membership.roleKey, name: membership.roleName },
      permissions: new Set(
        rolePermissions({
          key: membership.roleKey,
          builtIn: membership.roleBuiltIn,
          permissions: membership.rolePermissions,
        }),
      ),
    })),
  };
  return { ok: true, credential, cached: false };
}
