import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Seals } from '../crypto/seal.js';
import { checkChain, checkSeals, eventHash, GENESIS_HASH, type StoredEvent } from './chain.js';
import { type AuditBody, toPendingEvent } from './event.js';

const SEALS = new Seals(Buffer.alloc(32, 1));
const START = { sequence: 0n, hash: GENESIS_HASH };

function bodyOf(number: number): AuditBody {
  return {
    action: 'http.request',
    outcome: 'success',
    organizationId: 'org_a',
    actor: { type: 'serviceAccount', id: `sa_${number % 3}`, name: `Account ${number}` },
    key: number % 2 === 0 ? null : { id: `key_${number}`, name: 'Default' },
    targets: [],
    permission: null,
    method: 'GET',
    route: '/v1/me',
    path: '/v1/me',
    status: 200,
    reason: null,
    ip: '192.0.2.1',
    userAgent: null,
    requestId: `req_${number}`,
    changes: null,
  };
}

/** What the database would hold after so many events. */
function aChain(length: number): StoredEvent[] {
  let previousHash: Uint8Array = GENESIS_HASH;
  return Array.from({ length }, (_, index) => {
    const event = {
      ...toPendingEvent('org_a', bodyOf(index)),
      sequence: BigInt(index + 1),
      occurredAt: new Date(1_763_900_000_000 + index),
      previousHash,
    };
    const hash = eventHash(event, previousHash);
    previousHash = hash;
    return { ...event, hash, seal: SEALS.event(event.chain, event.body) };
  });
}

describe('checkChain', () => {
  it('accepts an untouched chain of any length, in any pages', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), (length, cut) => {
        const events = aChain(length);
        const first = checkChain(START, events.slice(0, cut), SEALS);
        const second = checkChain(first.position, events.slice(cut), SEALS);
        expect(first.firstBadSequence ?? second.firstBadSequence).toBeUndefined();
        expect(second.position.sequence).toBe(BigInt(length));
      }),
    );
  });

  it.each([
    ['body', { body: '{"action":"http.request"}' }],
    ['time', { occurredAt: new Date(0) }],
    ['hash', { hash: Buffer.alloc(32, 1) }],
    ['previous hash', { previousHash: Buffer.alloc(32, 1) }],
    ['action column', { action: 'key.revoked' }],
    ['outcome column', { outcome: 'denied' }],
    ['actor column', { actorId: 'sa_other' }],
    ['key column', { keyId: 'key_other' }],
    ['target column', { targetId: 'sa_other' }],
    ['request column', { requestId: 'req_other' }],
  ])('names the event whose %s was changed', (_, change) => {
    const events = aChain(10);
    events[4] = { ...events[4]!, ...change };
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(5n);
  });

  it('names a removed event', () => {
    const events = aChain(10);
    events.splice(4, 1);
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(5n);
  });

  it('names an inserted event', () => {
    const events = aChain(10);
    events.splice(5, 0, { ...events[4]!, occurredAt: new Date() });
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(5n);
  });

  it('names the first of two swapped events', () => {
    const events = aChain(10);
    const [a, b] = [events[3]!, events[6]!];
    events[3] = { ...b, sequence: a.sequence };
    events[6] = { ...a, sequence: b.sequence };
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(4n);
  });

  it('names an event that was edited even when the chain was hashed anew from there', () => {
    const events = aChain(10);
    let previousHash = events[3]!.hash;
    for (let index = 4; index < 10; index += 1) {
      const body =
        index === 4 ? events[4]!.body.replace('Account 4', 'Nobody') : events[index]!.body;
      const event = { ...events[index]!, body, previousHash };
      previousHash = eventHash(event, previousHash);
      events[index] = { ...event, hash: previousHash };
    }
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(5n);
  });

  it('refuses a body that hashes right but is no event', () => {
    const events = aChain(2);
    const forged = { ...events[1]!, body: 'null', seal: SEALS.event('org_a', 'null') };
    events[1] = { ...forged, hash: eventHash(forged, events[0]!.hash) };
    expect(checkChain(START, events, SEALS).firstBadSequence).toBe(2n);
  });
});

describe('any single change of a chain of any length', () => {
  const chain = fc.integer({ min: 1, max: 25 }).map((length) => aChain(length));
  const firstBadOf = (events: StoredEvent[]) => checkChain(START, events, SEALS).firstBadSequence;

  /** Another value for each thing that is stored of an event. */
  const EDITS: ((event: StoredEvent) => Partial<StoredEvent>)[] = [
    ({ body }) => ({ body: body.replace('"GET"', '"PUT"') }),
    ({ body }) => ({ body: `${body} ` }),
    ({ occurredAt }) => ({ occurredAt: new Date(occurredAt.getTime() + 1) }),
    ({ chain }) => ({ chain: `${chain}b` }),
    ({ hash }) => ({ hash: Buffer.from(hash).reverse() }),
    ({ previousHash }) => ({ previousHash: Buffer.from(previousHash).fill(7, 31) }),
    ({ seal }) => ({ seal: seal.slice(1) }),
    () => ({ action: 'key.revoked' }),
    () => ({ outcome: 'denied' }),
    ({ actorId }) => ({ actorId: `${actorId}0` }),
    ({ keyId }) => ({ keyId: keyId === null ? 'key_0' : null }),
    () => ({ targetId: 'sa_0' }),
    ({ requestId }) => ({ requestId: `${requestId}0` }),
    ({ sequence }) => ({ sequence: sequence - 1n }),
  ];

  it('an edit of anything is found at its event', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.constantFrom(...EDITS), (events, place, edit) => {
        const at = place % events.length;
        const changes = edit(events[at]!);
        events[at] = { ...events[at]!, ...changes };
        // A sequence that is taken already is the bad one itself.
        expect(firstBadOf(events)).toBe(changes.sequence ?? BigInt(at + 1));
      }),
    );
  });

  it('a removed event is found where it is missing, and a missing end by the head', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), (events, place, count) => {
        const [at, length] = [place % events.length, events.length];
        events.splice(at, 1 + (count % length));
        const { position, firstBadSequence } = checkChain(START, events, SEALS);
        // Cut at the end, what is left is whole, and ends before the head.
        if (at === events.length) {
          expect([firstBadSequence, position.sequence]).toEqual([undefined, BigInt(at)]);
          expect(position.sequence).toBeLessThan(BigInt(length));
        } else expect(firstBadSequence).toBe(BigInt(at + 1));
      }),
    );
  });

  it('an event that was put in is found at its place, whatever it is a copy of', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), (events, place, from) => {
        const at = place % (events.length + 1);
        const source = events[from % events.length]!;
        const isItself = from % events.length === at;
        events.splice(at, 0, { ...source, sequence: BigInt(at + 1) });
        // Before the event that it is a copy of it fits, and that one is too many.
        expect(firstBadOf(events)).toBe(BigInt(at + 1));
        expect(checkChain(START, events, SEALS).position.sequence).toBe(
          BigInt(isItself ? at + 1 : at),
        );
      }),
    );
  });

  it('two events in each other’s place are found at the first, with their own sequences or not', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), fc.boolean(), (events, one, other, renumbered) => {
        const [a, b] = [one % events.length, other % events.length].sort((x, y) => x - y) as [
          number,
          number,
        ];
        fc.pre(a !== b);
        const [first, second] = [events[a]!, events[b]!];
        events[a] = renumbered ? { ...second, sequence: first.sequence } : second;
        events[b] = renumbered ? { ...first, sequence: second.sequence } : first;
        expect(firstBadOf(events)).toBe(first.sequence);
      }),
    );
  });
});

describe('checkSeals', () => {
  const sealedAt = (events: StoredEvent[], ...sequences: number[]) =>
    sequences.map((sequence) => ({
      sequence: BigInt(sequence),
      seal: SEALS.head('org_a', BigInt(sequence), events[sequence - 1]!.hash),
    }));

  it('accepts the seals of an untouched chain, and leaves later ones to later pages', () => {
    const events = aChain(10);
    expect(checkSeals(START, events.slice(0, 6), sealedAt(events, 3, 6, 9), SEALS)).toBeUndefined();
  });

  it('names where a chain stops being vouched for that was hashed anew without one event', () => {
    const events = aChain(10);
    const places = sealedAt(events, 3, 6);
    let previousHash = events[3]!.hash;
    const shorter = events
      .filter((event) => event.sequence !== 5n)
      .map((event, index) => {
        if (index < 4) return event;
        const moved = { ...event, sequence: BigInt(index + 1), previousHash };
        previousHash = eventHash(moved, previousHash);
        return { ...moved, hash: previousHash };
      });
    expect(checkChain(START, shorter, SEALS).firstBadSequence).toBeUndefined();
    expect(checkSeals(START, shorter, places, SEALS)).toBe(4n);
  });
});
