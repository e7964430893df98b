import { randomUUID } from 'node:crypto';
import type { Config } from '../config.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { loadOrCreatePepper, Pepper, sameHash } from '../crypto/pepper.js';
import type { Instance as InstanceRow } from '../generated/prisma/client.js';
import type { DatabaseService } from './database.service.js';

const DEFAULT_TOKEN_PREFIX = 'clv';

/** Why this server must not work on this database; the message is for the administrator. */
export class InstanceMismatchError extends Error {}

/** What the database works with: it decides how every token looks and is stored. */
export class Instance {
  constructor(
    readonly tokenPrefix: string,
    readonly pepper: Pepper,
    /** What outlives a pepper. */
    readonly secret: InstanceSecret,
    /** Tells this database from others; a copy of it has the same. */
    readonly uid: string,
    /** The database's own pepper is still the one before `pepper`: to be changed before anything is served. */
    readonly isPepperNew = false,
  ) {}
}

/**
 * Opens the instance that a migrated database belongs to, or makes a new one of an empty database.
 * Errors: {@link InstanceMismatchError} when neither pepper nor previous pepper, or not the token prefix, are the database's own.
 */
export async function openInstance(database: DatabaseService, config: Config): Promise<Instance> {
  const stored = await database.system((tx) => tx.instance.findUnique({ where: { id: 1 } }));
  const bytes = config.pepper ?? loadOrCreatePepper(config.dataDir, stored === null);
  const row = stored ?? (await makeInstance(database, config, bytes));
  const { tokenPrefix, uid } = row;
  const pepper = pepperOf(row, bytes, config.pepperPrevious);
  const isPepperNew = !isOwn(row, pepper);
  if (config.tokenPrefix !== undefined && config.tokenPrefix !== tokenPrefix) {
    throw new InstanceMismatchError(
      `TOKEN_PREFIX is ${config.tokenPrefix}, but this database was made with ${tokenPrefix}; it cannot change. Remove TOKEN_PREFIX or set it to ${tokenPrefix}.`,
    );
  }
  const own = isPepperNew ? (pepper.previous ?? pepper) : pepper;
  const ownBytes = isPepperNew ? (config.pepperPrevious ?? bytes) : bytes;
  const secret = await secretOf(database, row, own, ownBytes);
  return new Instance(tokenPrefix, pepper, secret, uid, isPepperNew);
}

/** Another instance may start on the same empty database: the first one's values hold for both. */
async function makeInstance(
  database: DatabaseService,
  config: Config,
  bytes: Buffer,
): Promise<InstanceRow> {
  const pepper = new Pepper(bytes);
  const tokenPrefix = config.tokenPrefix ?? DEFAULT_TOKEN_PREFIX;
  const uid = randomUUID();
  return database.system(async (tx) => {
    await tx.$executeRaw`INSERT INTO instance (id, token_prefix, pepper_check, pepper_version, sealed_secret, uid)
      VALUES (1, ${tokenPrefix}, ${new Uint8Array(pepper.checkValue())}, ${pepper.version},
        ${InstanceSecret.make().sealed(pepper, uid)}, ${uid}) ON CONFLICT DO NOTHING`;
    return tx.instance.findUniqueOrThrow({ where: { id: 1 } });
  });
}

function pepperOf(row: InstanceRow, bytes: Buffer, previousBytes: Buffer | undefined): Pepper {
  const previous = previousBytes && new Pepper(previousBytes, versionOf(row, previousBytes));
  const pepper = new Pepper(bytes, versionOf(row, bytes), previous);
  if (isOwn(row, pepper) || (previous !== undefined && isOwn(row, previous))) return pepper;
  throw new InstanceMismatchError(
    previous === undefined
      ? 'The pepper is not the one this database works with: every token would be refused. Set PEPPER (or PEPPER_FILE) to the original value; if it is to be replaced, set PEPPER_PREVIOUS to that value too.'
      : 'Neither PEPPER nor PEPPER_PREVIOUS is the pepper this database works with: every token would be refused. Set one of them to the original value.',
  );
}

function isOwn(row: InstanceRow, pepper: Pepper): boolean {
  return sameHash(row.pepperCheck, pepper.checkValue());
}

/** A pepper has one version, also when it is gone back to; one that the database has not had gets the next. */
function versionOf(row: InstanceRow, bytes: Buffer): number {
  const check = new Pepper(bytes).checkValue();
  const { previousPepperCheck, previousPepperVersion } = row;
  if (sameHash(row.pepperCheck, check)) return row.pepperVersion;
  if (previousPepperCheck !== null && previousPepperVersion !== null) {
    if (sameHash(previousPepperCheck, check)) return previousPepperVersion;
  }
  return Math.max(row.pepperVersion, previousPepperVersion ?? 0) + 1;
}

/** A database from before there was a secret has its pepper as one, so that what hangs on it stays as it is. */
async function secretOf(
  database: DatabaseService,
  { sealedSecret, uid }: InstanceRow,
  own: Pepper,
  ownBytes: Buffer,
): Promise<InstanceSecret> {
  if (sealedSecret !== null) return InstanceSecret.open(own, uid, sealedSecret);
  const secret = new InstanceSecret(ownBytes);
  const sealed = secret.sealed(own, uid);
  await database.system(
    (tx) => tx.$executeRaw`UPDATE instance SET sealed_secret = ${sealed}
      WHERE sealed_secret IS NULL AND pepper_check = ${new Uint8Array(own.checkValue())}`,
  );
  return secret;
}
