import { acceptSetBack } from '../audit/set-back.js';
import { CONFIG, type Config } from '../config.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { DatabaseService } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { Seals } from '../crypto/seal.js';
import { withFoundation } from './foundation.js';

/** `claviger accept-restore`: accepts that the database is older than what this server had written. */
export async function acceptRestoreCommand(): Promise<void> {
  const chains = await withFoundation((foundation) => {
    // Without its seals the database can write no event.
    foundation.get(Seals);
    return acceptSetBack(
      foundation.get(DatabaseService),
      foundation.get(Instance),
      foundation.get(InstanceSecret),
      foundation.get<Config>(CONFIG),
    );
  });
  process.stdout.write(
    chains.length === 0
      ? 'There is nothing to accept: the database has all that this server had written.\n'
      : `Accepted for ${chains.length} ${chains.length === 1 ? 'chain' : 'chains'} of the audit trail. Start the server, and revoke what had been revoked.\n`,
  );
}
