import type { Seals } from '../crypto/seal.js';
import type { Prisma } from '../generated/prisma/client.js';
import type { LastCall } from './connections.js';

/** Prisma's client inside one transaction; its raw statements go straight to the driver (`Transactions`). */
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

/**
 * Ends collecting: the call that appends everything, all of it or none, or nothing where nothing was collected. Throws
 * when there can be no such call.
 */
export function appendOf(tx: Tx, seals: Seals | undefined): LastCall | undefined {
  const { events, raisesEpoch } = of(tx);
  collected.delete(tx);
  if (events.length === 0) {
    if (raisesEpoch) throw new Error('raiseEpoch() needs an event that says why');
    return undefined;
  }
  if (seals === undefined) throw new Error('no event can be written before the instance is known');
  // Nulls in arrays do not get through literals, so the events go as one JSON text.
  const rows = events.map(({ actorId, keyId, targetId, requestId, ...event }) => ({
    ...event,
    seal: seals.event(event.chain, event.body),
    actor_id: actorId,
    key_id: keyId,
    target_id: targetId,
    request_id: requestId,
  }));
  return { name: 'audit_append_change', values: [JSON.stringify(rows), raisesEpoch] };
}

function of(tx: Tx): Collected {
  const found = collected.get(tx);
  if (!found) throw new Error('events are collected only inside tenant() and system()');
  return found;
}
