import { describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { CursorCodec, cursorScope, page } from './pagination.js';
import { Problem } from './problem.js';

const codec = new CursorCodec(Buffer.alloc(32, 1));
const positions = fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)));

function refusal(scope: string, cursor: string): Problem {
  try {
    codec.decode(scope, cursor);
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('the cursor was taken');
}

describe('CursorCodec', () => {
  it('gives back the position, in its own scope and nowhere else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), positions, (scope, other, position) => {
        const cursor = codec.encode(scope, position);
        // No cell of CSV in which a formula could begin: that would be written in another way.
        expect(cursor).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]*$/);
        expect(codec.decode(scope, cursor)).toEqual(position);
        if (other !== scope) expect(refusal(other, cursor).status).toBe(400);
      }),
    );
  });

  it('refuses every single changed character, naming /after', () => {
    fc.assert(
      fc.property(positions, fc.nat(), fc.constantFrom(...'Aa0_-'), (position, at, character) => {
        const cursor = codec.encode('s', position);
        const index = at % cursor.length;
        const changed = cursor.slice(0, index) + character + cursor.slice(index + 1);
        if (changed === cursor) return;
        expect(refusal('s', changed).extra?.errors?.[0]?.pointer).toBe('/after');
      }),
    );
  });

  it('refuses every cursor that was cut, lengthened or put together from two', () => {
    fc.assert(
      fc.property(positions, positions, fc.nat(), fc.nat(), (one, other, from, to) => {
        const [a, b] = [codec.encode('s', one), codec.encode('s', other)];
        const made = a.slice(0, from % (a.length + 1)) + b.slice(to % (b.length + 1));
        if (made === a || made === b) return;
        expect(refusal('s', made).status).toBe(400);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses the cursor of another organization, list or filter, whatever their names are', () => {
    const scope = fc.tuple(
      fc.string(),
      fc.string(),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()), fc.boolean()), {
        noNullPrototype: true,
      }),
    );
    fc.assert(
      fc.property(scope, scope, positions, (one, other, position) => {
        const cursor = codec.encode(cursorScope(...one), position);
        expect(codec.decode(cursorScope(...one), cursor)).toEqual(position);
        for (const foreign of [other, [`${one[0]}x`, one[1], one[2]] as typeof one]) {
          if (isDeepStrictEqual(foreign, one)) continue;
          expect(refusal(cursorScope(...foreign), cursor).status).toBe(400);
        }
      }),
    );
  });

  it('refuses what another key made, text of no sense, and other spellings of a good one', () => {
    const cursor = codec.encode('s', ['a']);
    const foreign = new CursorCodec(Buffer.alloc(32, 2)).encode('s', ['a']);
    for (const text of ['', 'x', foreign, `${cursor}=`, ` ${cursor}`, `${cursor}\n`]) {
      expect(refusal('s', text).code).toBe('validation_failed');
    }
  });
});

describe('cursorScope', () => {
  it('is the same for filters in another order, and differs for anything else', () => {
    const scope = cursorScope('org_a', 'keys', { status: 'active', search: 'x' });
    expect(cursorScope('org_a', 'keys', { search: 'x', status: 'active', sort: undefined })).toBe(
      scope,
    );
    expect(cursorScope('org_b', 'keys', { status: 'active', search: 'x' })).not.toBe(scope);
    expect(cursorScope('org_a', 'users', { status: 'active', search: 'x' })).not.toBe(scope);
    expect(cursorScope('org_a', 'keys', { status: 'active' })).not.toBe(scope);
  });
});

describe('page', () => {
  it('walks a list to its end, each item once and in order', () => {
    fc.assert(
      fc.property(fc.nat({ max: 50 }), fc.integer({ min: 1, max: 10 }), (count, limit) => {
        const rows = Array.from({ length: count }, (_, id) => ({ id }));
        const cursor = { codec, scope: 's', toPosition: (row: { id: number }) => [row.id] };
        const seen: number[] = [];
        let from = 0;
        for (;;) {
          const { data, paging } = page(rows.slice(from, from + limit + 1), limit, cursor);
          seen.push(...data.map((row) => row.id));
          if (paging.next === undefined) break;
          from = (codec.decode('s', paging.next.after)[0] as number) + 1;
        }
        expect(seen).toEqual(rows.map((row) => row.id));
      }),
    );
  });

  it('leaves next out where the last page is exactly full', () => {
    const cursor = { codec, scope: 's', toPosition: (row: number) => [row] };
    expect(page([1, 2], 2, cursor)).toEqual({ data: [1, 2], paging: {} });
    expect(page([], 2, cursor)).toEqual({ data: [], paging: {} });
  });
});
