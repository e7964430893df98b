import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CounterElsewhere, CounterInMemory } from './counts.js';

/** Counts elsewhere, and notes what was asked. */
function aCounter() {
  const there = new CounterInMemory(60);
  const asked: string[][] = [];
  const counter = new CounterElsewhere((keys) => {
    asked.push(keys);
    return Promise.resolve(keys.map((key) => there.consume(key)));
  }, new CounterInMemory(60));
  const used = async (key: string) => (await counter.consume(key)).consumedPoints;
  return { asked, used };
}

describe('a counter in another process', () => {
  it('is asked once for all requests of a turn, and each gets its own place', async () => {
    const { asked, used } = aCounter();
    expect(await Promise.all(['a', 'b', 'a', 'a'].map(used))).toEqual([1, 1, 2, 3]);
    expect(await used('a')).toBe(4);
    expect(asked).toEqual([['a', 'b', 'a', 'a'], ['a']]);
  });

  it('is done without when it does not answer, or too little', async () => {
    for (const answer of [() => Promise.reject(new Error('gone')), () => Promise.resolve([])]) {
      const counter = new CounterElsewhere(answer, new CounterInMemory(60));
      const counts = await Promise.all(['a', 'a', 'b'].map((key) => counter.consume(key)));
      expect(counts.map(({ consumedPoints }) => consumedPoints)).toEqual([1, 2, 1]);
      expect(counts[0]!.msBeforeNext).toBeGreaterThan(59_000);
    }
  });
});

describe('a counter in memory', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('gives a new window its whole time, and not a bit more', () => {
    const counter = new CounterInMemory(60);
    const clock = jest.spyOn(performance, 'now');
    for (let key = 0; key < 1_000; key += 1) {
      clock.mockReturnValue(7_000 + key * 1_234.567891);
      expect(counter.consume(`k${key}`).msBeforeNext).toBe(60_000);
    }
  });

  it('counts each key from the beginning of its window to its end', async () => {
    const counter = new CounterInMemory(0.05);
    expect(counter.consume('a')).toMatchObject({ consumedPoints: 1 });
    const { consumedPoints, msBeforeNext } = counter.consume('a');
    expect(consumedPoints).toBe(2);
    expect(msBeforeNext).toBeLessThanOrEqual(50);
    expect(counter.consume('b')).toMatchObject({ consumedPoints: 1 });
    const end = performance.now() + msBeforeNext;
    while (performance.now() <= end) await new Promise(setImmediate);
    expect(counter.consume('a')).toMatchObject({ consumedPoints: 1 });
    expect(counter.consume('a')).toMatchObject({ consumedPoints: 2 });
  });
});
