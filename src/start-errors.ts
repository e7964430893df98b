import { SetBackError } from './audit/set-back.js';
import { ConfigError } from './config.js';
import { PepperError } from './crypto/pepper.js';
import { DatabaseUnavailableError } from './database/errors.js';
import { InstanceMismatchError } from './database/instance.js';
import { DataDirLockedError } from './database/lock.js';
import { MigrationError } from './database/migrate.js';

/** Faults that the administrator can mend. */
const MENDABLE = [
  ConfigError,
  PepperError,
  InstanceMismatchError,
  DataDirLockedError,
  MigrationError,
  SetBackError,
  DatabaseUnavailableError,
];

/** What to tell the administrator when a process cannot start: the message of a fault they can mend, else the stack. */
export function explainStart(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return MENDABLE.some((kind) => error instanceof kind)
    ? error.message
    : (error.stack ?? error.message);
}
