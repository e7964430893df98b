import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import type { AccessTokenCredential, KeyCredential, RefusedKey } from '../auth/credentials.js';
import { DatabaseService, raiseEpoch } from '../database/database.service.js';
import { forbidden, Problem } from '../http/problem.js';
import { keyTargets } from '../keys/insert-key.js';
import { KeysService } from '../keys/keys.service.js';
import { PresentedTokens } from './presented-tokens.js';
import type { RevocationInput } from './revocation.dto.js';

/** Ends tokens (RFC 7009). */
@Injectable()
export class RevocationService {
  constructor(
    private readonly tokens: PresentedTokens,
    private readonly keys: KeysService,
    private readonly database: DatabaseService,
  ) {}

  /**
   * Revokes the key whose token this is, or just the access token: one of the caller's own account, or with `keys:manage`
   * any of its organization. Every request begun after this is refused. Nothing is done, and nothing told, about a token
   * that has been revoked before or is not the organization's. Errors: 403 `insufficient_scope`.
   */
  async revoke(actor: Actor, request: FastifyRequest, input: RevocationInput): Promise<void> {
    const found = await this.tokens.look(actor, input.token, false);
    const { targets } = found;
    const reason = found.credential === null ? found.reason : null;
    request.subject = { targets, reason, credential: null, cached: false, ip: null };
    // A key that has expired, or whose account is disabled, might be made usable again.
    const key = found.credential ?? found.key;
    if (key === undefined || reason === 'revoked') return;
    requireOwn(actor, key);
    // Of an access token only itself is revoked, never its key.
    const accessToken = key.accessToken ?? null;
    if (accessToken === null) await this.revokeKey(actor, key);
    else await this.revokeAccessToken(actor, key, accessToken);
  }

  private async revokeKey(actor: Actor, key: KeyCredential | RefusedKey): Promise<void> {
    try {
      await this.keys.revoke(actor, key.organizationId, key.accountId, key.keyId);
    } catch (error) {
      // The account has been deleted, and the key ended with it.
      if (!(error instanceof Problem && error.status === 404)) throw error;
    }
  }

  /** Kept until the token would have expired anyway. */
  private async revokeAccessToken(
    actor: Actor,
    { organizationId, keyId, keyName, accountId, accountName }: KeyCredential | RefusedKey,
    { jti, expiresAt }: Pick<AccessTokenCredential, 'jti' | 'expiresAt'>,
  ): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const made =
        await tx.$executeRaw`INSERT INTO revoked_access_tokens (organization_id, jti, expires_at)
        VALUES (${organizationId}, ${jti}, ${new Date(expiresAt)}) ON CONFLICT DO NOTHING`;
      if (made === 0) return;
      const ofKey = { id: keyId, name: keyName };
      const targets = [
        { type: 'accessToken' as const, id: jti, name: keyName },
        ...keyTargets(ofKey, { id: accountId, name: accountName }),
      ];
      record(tx, actor, 'access_token.revoked', { organizationId, targets });
      raiseEpoch(tx);
    });
  }
}

function requireOwn(actor: Actor, key: KeyCredential | RefusedKey): void {
  if (key.accountId === actor.id || actor.permissions.has('keys:manage')) return;
  throw forbidden('keys:manage', 'Tokens of other accounts need the permission keys:manage.');
}
