import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventId, sequenceOf } from './event-id.js';

const sequences = fc.bigInt({ min: 1n, max: (1n << 40n) - 1n });
const times = fc.integer({ min: 0, max: 4_102_444_800_000 });

describe('eventId', () => {
  it('gives the sequence number back, whatever chain and time', () => {
    fc.assert(
      fc.property(fc.string(), sequences, times, (chain, sequence, time) => {
        expect(sequenceOf(eventId(chain, sequence, time))).toBe(sequence);
      }),
    );
  });

  it('differs between chains, sequences and times', () => {
    const ids = [
      eventId('org_a', 1n, 1_000),
      eventId('org_b', 1n, 1_000),
      eventId('org_a', 2n, 1_000),
      eventId('org_a', 1n, 1_001),
    ];
    expect(new Set(ids).size).toBe(4);
  });

  it('sorts by time', () => {
    const earlier = eventId('org_a', 900n, 1_763_900_000_000);
    const later = eventId('org_a', 1n, 1_763_900_000_001);
    expect(earlier < later).toBe(true);
  });

  it('is a UUID of version 7 and the RFC variant', () => {
    expect(eventId('system', 1n, 1_763_900_000_000)).toMatch(/^evt_[0-7][0-9a-z]{25}$/);
  });
});

describe('sequenceOf', () => {
  it.each(['', 'evt_', 'evt_zzzzzzzzzzzzzzzzzzzzzzzzzz', 'key_01h455vb4pex5vsknk084sn02q', '42'])(
    'knows that %j is no event id',
    (text) => {
      expect(sequenceOf(text)).toBeUndefined();
    },
  );
});
