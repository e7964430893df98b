import type { RawStatement } from '../database/database.service.js';
import { PROOF_SECONDS } from './proof.js';
import { ROLE_GRANTS } from './role-grants.sql.js';

/**
 * The statements of the credential check. Each reads all that one decision rests on in a single
 * snapshot; every comparison of times is made by the database's clock. 64-bit integers and times
 * are read as float8 (exact below 2^53), so that both databases answer JavaScript numbers.
 */

/** One row of {@link KEY_STATEMENT}. */
export interface KeyRow {
  keyId: string;
  keyName: string;
  /** Null, like the obfuscated token, for a key with a public key. */
  tokenHash: Uint8Array | null;
  obfuscatedToken: string | null;
  allPermissions: boolean;
  permissions: string[];
  allowedCidrs: string[];
  /** Unix milliseconds. */
  createdAt: number;
  /** Unix milliseconds. */
  expiresAt: number | null;
  /** When its successor was made; null: it has none. Unix milliseconds. */
  replacedAt: number | null;
  expired: boolean;
  revoked: boolean;
  accountId: string;
  accountName: string;
  accountStatus: string;
  accountDeleted: boolean;
  roleKey: string;
  roleName: string;
  roleBuiltIn: boolean;
  rolePermissions: string[];
  organizationId: string;
  organizationName: string;
  organizationStatus: string;
  organizationDeleted: boolean;
  /** The account's own limit, else the organization's. */
  requestsPerMinute: number;
  epoch: number;
}

/** Key, account, role, organization and epoch by key id ($1); `more` is selected too. */
function keyStatement(name: string, more = ''): RawStatement {
  const text = `
    SELECT ${more} k.id AS "keyId", k.name AS "keyName", k.token_hash AS "tokenHash", k.obfuscated_token AS "obfuscatedToken",
      k.all_permissions AS "allPermissions", k.permissions, k.allowed_cidrs AS "allowedCidrs",
      floor(extract(epoch FROM k.created_at) * 1000)::float8 AS "createdAt",
      floor(extract(epoch FROM k.expires_at) * 1000)::float8 AS "expiresAt",
      CASE WHEN k.replaced_by_id IS NOT NULL THEN
        (SELECT floor(extract(epoch FROM s.created_at) * 1000)::float8 FROM keys s WHERE s.id = k.replaced_by_id)
      END AS "replacedAt",
      coalesce(k.expires_at <= clock_timestamp(), false) AS "expired", k.revoked_at IS NOT NULL AS "revoked",
      a.id AS "accountId", a.name AS "accountName", a.status AS "accountStatus", a.deleted_at IS NOT NULL AS "accountDeleted",
      r.key AS "roleKey", r.name AS "roleName", r.built_in AS "roleBuiltIn", ${ROLE_GRANTS} AS "rolePermissions",
      o.id AS "organizationId", o.name AS "organizationName", o.status AS "organizationStatus",
      o.deleted_at IS NOT NULL AS "organizationDeleted",
      coalesce(a.requests_per_minute, o.requests_per_minute) AS "requestsPerMinute", h.auth_epoch::float8 AS "epoch"
    FROM keys k
    JOIN service_accounts a ON a.organization_id = k.organization_id AND a.id = k.service_account_id
    JOIN roles r ON r.organization_id = a.organization_id AND r.key = a.role_key
    JOIN organizations o ON o.id = k.organization_id
    JOIN audit_heads h ON h.chain = k.organization_id
    WHERE k.id = $1`;
  return { name, text };
}

/** All that a key's token rests on, by key id ($1). */
export const KEY_STATEMENT = keyStatement('credential_key');

/** One row of {@link ACCESS_TOKEN_STATEMENT}. */
export interface AccessTokenRow extends KeyRow {
  accessTokenRevoked: boolean;
  accessTokenExpired: boolean;
  /** The signing key is published, and not revoked. */
  signatureHolds: boolean;
}

/** All that an access token rests on: by key id ($1), `jti` ($2), signing key ($3) and `exp` in Unix milliseconds ($4). */
export const ACCESS_TOKEN_STATEMENT = keyStatement(
  'credential_access_token',
  `EXISTS (SELECT FROM revoked_access_tokens t WHERE t.organization_id = k.organization_id AND t.jti = $2) AS "accessTokenRevoked",
      $4::float8 <= extract(epoch FROM clock_timestamp()) * 1000 AS "accessTokenExpired",
      EXISTS (SELECT FROM signing_keys s WHERE s.kid = $3 AND s.revoked_at IS NULL
        AND (s.verifies_until IS NULL OR s.verifies_until > clock_timestamp())) AS "signatureHolds",`,
);

/** One row of {@link ASSERTING_KEY_STATEMENT}. */
export interface AssertingKeyRow extends KeyRow {
  /** A JWK; null for a key with a token. */
  publicKey: unknown;
  /** What time it is, in Unix milliseconds. */
  now: number;
}

/** All that an assertion rests on, by key id ($1). */
export const ASSERTING_KEY_STATEMENT = keyStatement(
  'credential_asserting_key',
  `k.public_key AS "publicKey", floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "now",`,
);

/**
 * Notes that an assertion was used: organization ($1), key ($2), hash of its `jti` ($3), and until when it must be remembered,
 * in Unix milliseconds ($4). No row: it was used before.
 */
export const USE_ASSERTION_STATEMENT: RawStatement = {
  name: 'use_assertion',
  text: `
    INSERT INTO used_assertions (organization_id, key_id, jti_hash, expires_at)
    VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000)) ON CONFLICT DO NOTHING
    RETURNING key_id AS "keyId"`,
};

/** One row of {@link SESSION_STATEMENT}. */
export interface SessionRow {
  sessionId: string;
  tokenHash: Uint8Array;
  ended: boolean;
  /** Past the absolute end. */
  expired: boolean;
  /** Unused for 30 minutes. */
  idle: boolean;
  /** The last touch is over a minute old. */
  touchDue: boolean;
  /** Unix milliseconds. */
  expiresAt: number;
  /** When the password was last proved: Unix milliseconds. */
  authenticatedAt: number;
  /** That is too long ago for what is dangerous. */
  proofDue: boolean;
  userId: string;
  email: string;
  name: string;
  instanceAdministrator: boolean;
  memberships: {
    organizationId: string;
    organizationName: string;
    organizationStatus: 'active' | 'suspended';
    requestsPerMinute: number;
    roleKey: string;
    roleName: string;
    roleBuiltIn: boolean;
    rolePermissions: string[];
  }[];
}

/** SQL: when the person of a session `s` last proved their password. Servers from before this column knew only the login. */
const AUTHENTICATED_AT = 'coalesce(s.authenticated_at, s.created_at)';

/** SQL: whether a session `s` has gone unused for too long, by the database's clock. */
export const SESSION_IDLE = "s.last_seen_at <= clock_timestamp() - interval '30 minutes'";

/**
 * Session, person and active memberships in living organizations by session id ($1). Whom an organization lets in by their
 * e-mail alone is let in once they have shown that they read its mail: a password may have been set with the link of an
 * invitation, which whoever invited holds too (docs/decisions/0008).
 */
export const SESSION_STATEMENT: RawStatement = {
  name: 'credential_session',
  text: `
    SELECT s.id AS "sessionId", s.token_hash AS "tokenHash", s.ended_at IS NOT NULL AS "ended",
      s.expires_at <= clock_timestamp() AS "expired",
      ${SESSION_IDLE} AS "idle",
      s.last_seen_at <= clock_timestamp() - interval '1 minute' AS "touchDue",
      floor(extract(epoch FROM s.expires_at) * 1000)::float8 AS "expiresAt",
      floor(extract(epoch FROM ${AUTHENTICATED_AT}) * 1000)::float8 AS "authenticatedAt",
      ${AUTHENTICATED_AT} <= clock_timestamp() - make_interval(secs => ${PROOF_SECONDS}) AS "proofDue",
      u.id AS "userId", u.email, u.name, u.instance_administrator AS "instanceAdministrator",
      coalesce((
        SELECT json_agg(json_build_object(
          'organizationId', o.id, 'organizationName', o.name, 'organizationStatus', o.status,
          'requestsPerMinute', o.requests_per_minute,
          'roleKey', r.key, 'roleName', r.name, 'roleBuiltIn', r.built_in, 'rolePermissions', ${ROLE_GRANTS}
        ) ORDER BY o.created_at, o.id)
        FROM memberships m
        JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
        JOIN roles r ON r.organization_id = m.organization_id AND r.key = m.role_key
        WHERE m.user_id = u.id AND m.status = 'active'
          AND (m.accepted_at IS NOT NULL OR u.email_verified_at IS NOT NULL)
      ), '[]'::json) AS "memberships"
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = $1`,
};

/** Notes that a session ($1) is in use; at most one write a minute. */
export const TOUCH_SESSION_STATEMENT: RawStatement = {
  name: 'touch_session',
  text: `
    UPDATE sessions SET last_seen_at = clock_timestamp()
    WHERE id = $1 AND ended_at IS NULL AND last_seen_at <= clock_timestamp() - interval '1 minute'`,
};

/** A token of a key ($1) whose hash under the pepper before is $3 is stored under that of today: hash ($2) and version ($4). */
export const REHASH_KEY_STATEMENT = rehashStatement('keys');

/** The same for the token of a session. */
export const REHASH_SESSION_STATEMENT = rehashStatement('sessions');

/** Only to the database's own pepper: while one is replaced, instances with the one before undo nothing. */
function rehashStatement(table: 'keys' | 'sessions'): RawStatement {
  const text = `
    UPDATE ${table} SET token_hash = $2, pepper_version = $4 WHERE id = $1 AND token_hash = $3
      AND EXISTS (SELECT FROM instance WHERE pepper_version = $4)`;
  return { name: `rehash_${table}`, text };
}
