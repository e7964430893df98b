import type { Tx } from './database.service.js';

/**
 * What time it is for the database, in milliseconds. It stamps rows and decides what has expired;
 * the clock of this process decides nothing.
 */
export async function databaseNow(tx: Tx): Promise<Date> {
  const [row] = await tx.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  if (row === undefined) throw new Error('the database did not tell the time');
  return new Date(row.now);
}
