import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { KeyObject } from 'node:crypto';
import { record } from '../audit/record.js';
import { type Actor, SYSTEM_ACTOR } from '../auth/actor.js';
import { VerificationKeys } from '../auth/verification-keys.js';
import { Pepper } from '../crypto/pepper.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { conflict } from '../http/problem.js';
import { makeSealedKeyPair, openPrivateKey, type SealedKeyPair } from './sealed-key.js';
import { type SigningKey, toSigningKey } from './signing-keys.dto.js';
import {
  insertSigningKey,
  lockSigningKeys,
  raiseAllEpochs,
  readSigner,
  readSigningKeys,
  revokeSigningKeys,
  tidySigningKeys,
} from './signing-keys.sql.js';

/** What signs an access token. */
export interface AccessTokenSigner {
  kid: string;
  privateKey: KeyObject;
  /** What time it is for the database, in Unix seconds. */
  now: number;
}

/**
 * The keys that access tokens are signed with. They live in the database, so all instances share them; each is published
 * before it signs and for as long as anything that it signed is good, so that a rotation is noticed by nobody.
 */
@Injectable()
export class SigningKeysService implements OnApplicationBootstrap {
  /** Opened once; keys are replaced every few months. */
  private opened: { kid: string; privateKey: KeyObject } | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly pepper: Pepper,
    private readonly verificationKeys: VerificationKeys,
  ) {}

  /** At the start there is a first key, so that nobody caches an empty JWKS; and what has had its time goes. */
  async onApplicationBootstrap(): Promise<void> {
    await this.signer();
    await this.database.system(tidySigningKeys);
  }

  /**
   * The key that signs now. Makes the first one, and the next one when this one has signed long enough. Errors:
   * `DatabaseUnavailableError`.
   */
  async signer(): Promise<AccessTokenSigner> {
    let signer = await this.database.system(readSigner);
    if (signer === undefined || signer.isDue) {
      const pair = await makeSealedKeyPair(this.pepper);
      signer = await this.database.system(async (tx) => {
        await this.makeIfNeeded(tx, pair);
        return readSigner(tx);
      });
      this.verificationKeys.refresh();
    }
    if (signer === undefined) throw new Error('no signing key, although one has been made');
    const { kid, sealedPrivateKey, now } = signer;
    if (this.opened?.kid !== kid) {
      this.opened = { kid, privateKey: openPrivateKey(this.pepper, kid, sealedPrivateKey) };
    }
    return { kid, privateKey: this.opened.privateKey, now };
  }

  /** All keys, newest first. */
  async list(): Promise<SigningKey[]> {
    return (await this.database.system((tx) => readSigningKeys(tx))).map(toSigningKey);
  }

  /**
   * Makes the next key. With `revokeOld` it signs at once, and all others and every access token are refused from the
   * moment this returns. Errors: 409 `rotation_pending` when the next key is there already and does not sign yet.
   */
  async rotate(actor: Actor, revokeOld: boolean): Promise<SigningKey> {
    const pair = await makeSealedKeyPair(this.pepper);
    const row = await this.database.system(async (tx) => {
      await lockSigningKeys(tx);
      if (revokeOld) await revokeAll(tx, actor);
      else await requireNoNext(tx);
      await this.insert(tx, actor, pair, revokeOld);
      const [made] = await readSigningKeys(tx, pair.kid);
      return made;
    });
    if (row === undefined) throw new Error('the signing key is not there');
    this.verificationKeys.refresh();
    return toSigningKey(row);
  }

  /** Under the lock it is looked again: another instance may have been first. */
  private async makeIfNeeded(tx: Tx, pair: SealedKeyPair): Promise<void> {
    await lockSigningKeys(tx);
    const signer = await readSigner(tx);
    if (signer !== undefined && !signer.isDue) return;
    await this.insert(tx, SYSTEM_ACTOR, pair, signer === undefined);
  }

  private async insert(tx: Tx, actor: Actor, pair: SealedKeyPair, atOnce: boolean): Promise<void> {
    await tidySigningKeys(tx);
    await insertSigningKey(tx, pair, atOnce);
    record(tx, actor, 'signing_key.created', { organizationId: null, targets: [target(pair)] });
  }
}

async function revokeAll(tx: Tx, actor: Actor): Promise<void> {
  for (const key of await revokeSigningKeys(tx)) {
    record(tx, actor, 'signing_key.revoked', { organizationId: null, targets: [target(key)] });
  }
  await raiseAllEpochs(tx);
}

async function requireNoNext(tx: Tx): Promise<void> {
  const next = (await readSigningKeys(tx)).find(({ status }) => status === 'next');
  if (next === undefined) return;
  const detail = `The next key is there already; it signs from ${next.signsFrom.toISOString()}.`;
  throw conflict('rotation_pending', detail);
}

function target({ kid }: { kid: string }) {
  return { type: 'signingKey' as const, id: kid, name: kid };
}
