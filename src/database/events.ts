import type { Seals } from '../crypto/seal.js';
import type { Prisma } from '../generated/prisma/client.js';

/** Prisma's client inside one transaction. */
export type Tx = Prisma.TransactionClient;

/** An event for the trail: its JSON text, and the copies of fields that lists filter by. */
export interface PendingEvent {
  /** An organization's id, or `system`. */
  chain: string;
  /** JSON text, well-formed and without NUL; hashed and kept byte for byte. */
  body: string;
  action: string;
  outcome: string;
  actorId: string | null;
  keyId: string | null;
  targetId: string | null;
  requestId: string | null;
}

interface Collected {
  events: PendingEvent[];
  raisesEpoch: boolean;
}

/** Of the transactions that run now. */
const collected = new WeakMap<Tx, Collected>();

/** Nulls in arrays do not get through Prisma's parameters, so the events go as one JSON text. */
const APPEND = `
  SELECT audit_append(
    array_agg(e.chain ORDER BY e.n), array_agg(e.body ORDER BY e.n), array_agg(e.seal ORDER BY e.n),
    array_agg(NULL::bigint), array_agg(NULL::bigint),
    array_agg(e.action ORDER BY e.n), array_agg(e.outcome ORDER BY e.n),
    array_agg(e.actor_id ORDER BY e.n), array_agg(e.key_id ORDER BY e.n),
    array_agg(e.target_id ORDER BY e.n), array_agg(e.request_id ORDER BY e.n),
    true, $2::boolean) AS codes
  FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (chain text, body text, seal text, action text, outcome text,
    actor_id text, key_id text, target_id text, request_id text)) WITH ORDINALITY
    AS e(chain, body, seal, action, outcome, actor_id, key_id, target_id, request_id, n)`;

/**
 * Has an event appended by tenant() or system() as the last thing before COMMIT: it is on the trail
 * if and only if the change is. All events of one transaction belong to one chain.
 */
export function collectEvent(tx: Tx, event: PendingEvent): void {
  const { events } = of(tx);
  const [first] = events;
  if (first && first.chain !== event.chain) {
    throw new Error(`one transaction writes to one chain: ${first.chain}, not ${event.chain} too`);
  }
  events.push(event);
}

/**
 * Has the auth_epoch of the events' chain raised in the same call, which ends everything cached about
 * its credentials. Needs at least one event by the end of the transaction.
 */
export function raiseEpoch(tx: Tx): void {
  of(tx).raisesEpoch = true;
}

/** Begins collecting for a transaction. */
export function beginCollecting(tx: Tx): void {
  collected.set(tx, { events: [], raisesEpoch: false });
}

/** Appends what was collected, and ends collecting. Throws when anything was not appended. */
export async function appendCollected(tx: Tx, seals: Seals | undefined): Promise<void> {
  const { events, raisesEpoch } = of(tx);
  collected.delete(tx);
  if (events.length === 0) {
    if (raisesEpoch) throw new Error('raiseEpoch() needs an event that says why');
    return;
  }
  if (seals === undefined) throw new Error('no event can be written before the instance is known');
  const rows = events.map(({ actorId, keyId, targetId, requestId, ...event }) => ({
    ...event,
    seal: seals.event(event.chain, event.body),
    actor_id: actorId,
    key_id: keyId,
    target_id: targetId,
    request_id: requestId,
  }));
  const [result] = await tx.$queryRawUnsafe<{ codes: number[] }[]>(
    APPEND,
    JSON.stringify(rows),
    raisesEpoch,
  );
  const codes = result?.codes ?? [];
  if (codes.length !== events.length || codes.some((code) => code !== 0)) {
    throw new Error(`chain ${events[0]?.chain} took no events: codes ${codes.join(', ')}`);
  }
}

function of(tx: Tx): Collected {
  const found = collected.get(tx);
  if (!found) throw new Error('events are collected only inside tenant() and system()');
  return found;
}
