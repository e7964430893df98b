import { Injectable } from '@nestjs/common';
import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import type { KeyCredential } from '../auth/credentials.js';
import { requireHeld } from '../auth/grant.js';
import { effectivePermissions } from '../auth/permissions.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { requireMatch } from '../http/entity-tag.js';
import { conflict, invalid, refused } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { registeredAmong } from '../permissions/registered.js';
import { roleNamed } from '../roles/find-role.js';
import { type FoundAccount, lockAccount } from '../service-accounts/find-account.js';
import { keyTargets, requireRoomToOverlap, writeKey } from './insert-key.js';
import { successorFields } from './key-fields.js';
import { type KeyRow, toKey, toKeyWithToken } from './keys.dto.js';
import { readKey, readKeyBounds } from './keys.sql.js';
import { type MintedKey, mintKey } from './mint-key.js';
import {
  DEFAULT_OVERLAP_SECONDS,
  type KeyRotateInput,
  type OwnKeyRotateInput,
  type RotatedKey,
} from './rotate.dto.js';

/** A key to be replaced. */
interface Rotation {
  organizationId: string;
  serviceAccountId: string;
  keyId: string;
  input: KeyRotateInput;
  minted: MintedKey;
  /** The key asks for itself: the successor can do no more than it, so nothing is granted. */
  isOwn: boolean;
}

/** Replaces keys without a moment in which none works. */
@Injectable()
export class RotationService {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
  ) {}

  /**
   * Makes the successor of a key; the answer is the only one that shows its token. The old key ends after the overlap, and
   * never later than by itself. Errors: 400 (`in_the_past`, `too_far`; `required` where a public key must follow one),
   * 403 `grant_exceeds_permissions`, 404, 409 `key_revoked`, `key_replaced`, `key_expired`, `key_limit`, 412.
   */
  rotate(
    actor: Actor,
    organizationId: string,
    serviceAccountId: string,
    keyId: string,
    input: KeyRotateInput,
  ): Promise<RotatedKey> {
    const key = { organizationId, serviceAccountId, keyId };
    return this.run(actor, { ...key, input, isOwn: false });
  }

  /**
   * As {@link rotate}, for the key that the request is made with; a successor can do no more than it. Errors: 403
   * `service_accounts_only`, `key_needed` for an access token: what lives minutes must not yield what lives on.
   */
  async rotateOwn(actor: Actor, input: OwnKeyRotateInput): Promise<RotatedKey> {
    const { organizationId, accountId, keyId } = ownKey(actor);
    const key = { organizationId, serviceAccountId: accountId, keyId };
    return this.run(actor, { ...key, input, isOwn: true });
  }

  private run(actor: Actor, asked: Omit<Rotation, 'minted'>): Promise<RotatedKey> {
    const minted = mintKey(this.instance, asked.input.publicKey);
    const work = (tx: Tx) => replace(tx, actor, { ...asked, minted });
    return this.database.tenant(asked.organizationId, idempotent(actor, work));
  }
}

async function replace(tx: Tx, actor: Actor, rotation: Rotation): Promise<RotatedKey> {
  const { organizationId, serviceAccountId, keyId, input, minted, isOwn } = rotation;
  const { overlapSeconds = DEFAULT_OVERLAP_SECONDS } = input;
  const account = await lockAccount(tx, organizationId, serviceAccountId);
  const old = await readKey(tx, organizationId, serviceAccountId, keyId);
  await requireMatch(actor, () => toKey(old));
  requireReplaceable(old, input);
  const bounds = await readKeyBounds(tx, organizationId, serviceAccountId);
  const { permissions } = await roleNamed(tx, organizationId, account.roleKey);
  const registered = await registeredAmong(tx, organizationId, old.permissions);
  const fields = successorFields(old, { given: input, registered, bounds });
  if (!isOwn) requireHeld(actor, effectivePermissions(permissions, fields.permissions));
  if (overlapSeconds > 0) requireRoomToOverlap(bounds);
  const { now } = bounds;
  const decided = { organizationId, account, minted, fields, now, rotatedFromId: old.id };
  const successor = await writeKey(tx, actor, decided);
  const endsAt = earlier(old.expiresAt, new Date(now.getTime() + overlapSeconds * 1000));
  await tx.key.update({
    where: { organizationId_id: { organizationId, id: old.id } },
    data: {
      replacedById: successor.id,
      expiresAt: endsAt,
      updatedAt: now,
      version: { increment: 1 },
    },
    select: { id: true },
  });
  recordRotation(tx, actor, { organizationId, account, old, successor, endsAt });
  // Cached credentials of the old key carry its end, and that it has a successor.
  raiseEpoch(tx);
  return {
    ...toKeyWithToken(successor, minted.token),
    overlapEndsAt: endsAt.toISOString(),
  };
}

function recordRotation(
  tx: Tx,
  actor: Actor,
  rotated: {
    organizationId: string;
    account: FoundAccount;
    old: KeyRow;
    successor: KeyRow;
    endsAt: Date;
  },
): void {
  const { organizationId, account, old, successor, endsAt } = rotated;
  record(tx, actor, 'key.rotated', {
    organizationId,
    targets: [...keyTargets(old, account), { type: 'key', id: successor.id, name: successor.name }],
    changes: {
      expiresAt: { before: old.expiresAt?.toISOString() ?? null, after: endsAt.toISOString() },
      replacedById: { before: null, after: successor.id },
    },
  });
}

function requireReplaceable(old: KeyRow, { publicKey }: KeyRotateInput): void {
  if (old.status === 'revoked') throw conflict('key_revoked', 'The key has been revoked.');
  if (old.replacedById !== null) {
    const detail = `The key has been replaced by ${old.replacedById}. Rotate that one, or create a key.`;
    throw conflict('key_replaced', detail);
  }
  if (old.status === 'expired') {
    throw conflict('key_expired', 'The key has expired. Create another one.');
  }
  if (old.publicKey !== null && publicKey === undefined) {
    const detail = 'The key has a public key: give the public key of its successor.';
    throw invalid({ pointer: '/publicKey', code: 'required', detail });
  }
}

function ownKey({ credential }: Actor): KeyCredential {
  if (credential?.kind !== 'key') {
    throw refused('service_accounts_only', 'This operation is for service accounts.');
  }
  if (credential.accessToken === null) return credential;
  const detail = 'An access token cannot rotate its key: show the token of the key itself.';
  throw refused('key_needed', detail);
}

function earlier(own: Date | null, end: Date): Date {
  return own !== null && own < end ? own : end;
}
