import type { DatabaseService, RawStatement } from '../database/database.service.js';
import type { Checkpoint, SignedCheckpoint } from './checkpoint.js';

const INSERT: RawStatement = {
  name: 'insert_checkpoints',
  text: `INSERT INTO audit_checkpoints (chain, sequence, hash, at, set_back_from, key, signature)
    SELECT c.chain, c.sequence, decode(c.hash, 'hex'), c.at, c.set_back_from, c.key, c.signature
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[])
      AS c(chain, sequence, hash, at, set_back_from, key, signature)
    ON CONFLICT DO NOTHING`,
};

/** Keeps checkpoints in the database; of two for the same place the first. */
export async function insertCheckpoints(
  database: DatabaseService,
  signed: readonly SignedCheckpoint[],
): Promise<void> {
  const of = (member: keyof Checkpoint) =>
    signed.map(({ checkpoint }) => checkpoint[member] ?? null);
  await database.raw(INSERT, [
    of('chain'),
    of('sequence'),
    of('hash'),
    of('at'),
    of('setBackFrom'),
    signed.map(({ key }) => key),
    signed.map(({ signature }) => signature),
  ]);
}
