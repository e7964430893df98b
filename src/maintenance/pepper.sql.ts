import { SESSION_IDLE } from '../auth/credentials.sql.js';
import { type Pepper, sameHash } from '../crypto/pepper.js';
import type { Tx } from '../database/database.service.js';
import { type Instance, InstanceMismatchError } from '../database/instance.js';
import { Prisma } from '../generated/prisma/client.js';
import { KEY_USABLE } from '../keys/keys.sql.js';
import { resealPrivateKey } from '../signing-keys/sealed-key.js';
import { lockSigningKeys } from '../signing-keys/signing-keys.sql.js';

/** What still works and is stored under one pepper, by kind. */
export interface UnderPepper {
  keys: number;
  sessions: number;
  invitations: number;
  passwordResets: number;
  setupTokens: number;
  signingKeys: number;
}

/**
 * Makes `pepper` the database's own, unless another instance has done so: false. The instance's secret is sealed anew. Errors:
 * {@link InstanceMismatchError} when the database has got a third one meanwhile.
 */
export async function changePepper(
  tx: Tx,
  { pepper, secret, uid }: Pick<Instance, 'pepper' | 'secret' | 'uid'>,
): Promise<boolean> {
  await tx.$queryRaw`SELECT id FROM instance WHERE id = 1 FOR UPDATE`;
  const row = await tx.instance.findUniqueOrThrow({ where: { id: 1 } });
  if (sameHash(row.pepperCheck, pepper.checkValue())) return false;
  const { previous } = pepper;
  if (previous === undefined || !sameHash(row.pepperCheck, previous.checkValue())) {
    throw new InstanceMismatchError(
      'The pepper of the database has just been replaced by another one.',
    );
  }
  await tx.instance.update({
    where: { id: 1 },
    data: {
      pepperCheck: new Uint8Array(pepper.checkValue()),
      pepperVersion: pepper.version,
      previousPepperCheck: row.pepperCheck,
      previousPepperVersion: row.pepperVersion,
      sealedSecret: secret.sealed(pepper, uid),
    },
  });
  return true;
}

/** Which peppers the database has, and had before: their versions. */
export async function readVersions(tx: Tx): Promise<{ own: number; previous: number | null }> {
  const row = await tx.instance.findUniqueOrThrow({ where: { id: 1 } });
  return { own: row.pepperVersion, previous: row.previousPepperVersion };
}

/** Seals private keys anew that are sealed under the pepper before: `pepper` is the database's own by now. */
export async function resealSigningKeys(tx: Tx, pepper: Pepper): Promise<void> {
  await lockSigningKeys(tx);
  const keys = await tx.signingKey.findMany({
    where: { pepperVersion: pepper.previous?.version ?? 0, sealedPrivateKey: { not: null } },
  });
  for (const { kid, sealedPrivateKey } of keys) {
    if (sealedPrivateKey === null) continue;
    await tx.signingKey.update({
      where: { kid },
      data: {
        sealedPrivateKey: resealPrivateKey(pepper, kid, sealedPrivateKey),
        pepperVersion: pepper.version,
      },
    });
  }
}

/** What is stored under the pepper of this version and still works, by the database's clock. */
export async function countUnderPepper(tx: Tx, version: number): Promise<UnderPepper> {
  const [row] = await tx.$queryRaw<UnderPepper[]>`
    SELECT
      (SELECT count(*) FROM keys k WHERE pepper_version = ${version} AND ${KEY_USABLE})::int AS "keys",
      (SELECT count(*) FROM sessions s WHERE pepper_version = ${version} AND ended_at IS NULL
        AND expires_at > statement_timestamp() AND NOT (${Prisma.raw(SESSION_IDLE)}))::int AS "sessions",
      (SELECT count(*) FROM invitations WHERE pepper_version = ${version} AND accepted_at IS NULL
        AND revoked_at IS NULL AND expires_at > statement_timestamp())::int AS "invitations",
      (SELECT count(*) FROM password_resets WHERE pepper_version = ${version} AND ended_at IS NULL
        AND expires_at > statement_timestamp())::int AS "passwordResets",
      (SELECT count(*) FROM setup_tokens WHERE pepper_version = ${version}
        AND expires_at > statement_timestamp())::int AS "setupTokens",
      (SELECT count(*) FROM signing_keys WHERE pepper_version = ${version}
        AND sealed_private_key IS NOT NULL)::int AS "signingKeys"`;
  if (row === undefined) throw new Error('nothing was counted');
  return row;
}
