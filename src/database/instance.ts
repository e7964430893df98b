import type { Config } from '../config.js';
import { loadOrCreatePepper, Pepper, sameHash } from '../crypto/pepper.js';
import type { DatabaseService } from './database.service.js';

const DEFAULT_TOKEN_PREFIX = 'clv';

/** Why this server must not work on this database; the message is for the administrator. */
export class InstanceMismatchError extends Error {}

/** What the database was made with: it decides how every token looks and is stored. */
export class Instance {
  constructor(
    readonly tokenPrefix: string,
    readonly pepper: Pepper,
    /** Tells this database from others; a copy of it has the same. */
    readonly uid: string,
  ) {}
}

/**
 * Opens the instance that a migrated database belongs to, or makes a new one of an empty database.
 * Errors: {@link InstanceMismatchError} when pepper or token prefix are not the database's own.
 */
export async function openInstance(database: DatabaseService, config: Config): Promise<Instance> {
  const stored = await database.system((tx) => tx.instance.findUnique({ where: { id: 1 } }));
  const pepper = new Pepper(config.pepper ?? loadOrCreatePepper(config.dataDir, stored === null));
  const tokenPrefix = config.tokenPrefix ?? DEFAULT_TOKEN_PREFIX;
  const row =
    stored ??
    (await database.system(async (tx) => {
      // Another instance may start on the same empty database: the first one's values hold for both.
      await tx.$executeRaw`INSERT INTO instance (id, token_prefix, pepper_check, pepper_version)
        VALUES (1, ${tokenPrefix}, ${new Uint8Array(pepper.checkValue())}, ${pepper.version}) ON CONFLICT DO NOTHING`;
      return tx.instance.findUniqueOrThrow({ where: { id: 1 } });
    }));
  if (!sameHash(row.pepperCheck, pepper.checkValue())) {
    throw new InstanceMismatchError(
      'The pepper is not the one this database was made with: every token would be refused. Set PEPPER (or PEPPER_FILE) to the original value.',
    );
  }
  if (config.tokenPrefix !== undefined && config.tokenPrefix !== row.tokenPrefix) {
    throw new InstanceMismatchError(
      `TOKEN_PREFIX is ${config.tokenPrefix}, but this database was made with ${row.tokenPrefix}; it cannot change. Remove TOKEN_PREFIX or set it to ${row.tokenPrefix}.`,
    );
  }
  return new Instance(row.tokenPrefix, pepper, row.uid);
}
