import { describe, expect, it } from '@jest/globals';
import type { Credential, RefusalReason } from '../auth/credentials.js';
import { type Flood, Floods, type Refusal, refusalOf } from './floods.js';

/** Waits for something that happens by itself. */
async function eventually(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error('it did not happen');
    await new Promise(setImmediate);
  }
}

function aCounter(options: ConstructorParameters<typeof Floods>[1]) {
  const written: Flood[] = [];
  const floods = new Floods((flood) => Promise.resolve(void written.push(flood)), options);
  return { floods, written };
}

describe('refusalOf', () => {
  it.each<[RefusalReason, number, Refusal | undefined]>([
    ['unknown', 401, 'bad'],
    ['malformed', 404, 'bad'],
    ['cross_site', 403, 'bad'],
    ['missing', 401, 'nobody'],
    ['missing', 404, undefined],
    ['session_idle', 401, 'nobody'],
    ['session_ended', 404, 'nobody'],
    ['wrong_secret', 200, undefined],
    ['wrong_secret', 503, undefined],
  ])('%s, answered %d: %s', (reason, status, refusal) => {
    expect(refusalOf({ ok: false, reason }, status)).toBe(refusal);
  });

  it('counts nobody with a good credential, and no public route', () => {
    const credential = { kind: 'session' } as Credential;
    expect(refusalOf({ ok: true, credential, cached: false }, 403)).toBeUndefined();
    expect(refusalOf(null, 401)).toBeUndefined();
  });
});

describe('Floods', () => {
  it('lets the first ones of a minute pass and counts the others', async () => {
    const { floods, written } = aCounter({ limit: 2 });
    const answers = Array.from({ length: 5 }, () => floods.note('192.0.2.1', 'bad'));
    expect(answers).toEqual([undefined, undefined, 60, 60, 60]);
    expect(floods.note('192.0.2.2', 'bad')).toBeUndefined();
    expect(written).toEqual([]);
    expect(await floods.writeNow()).toBe(0);
    expect(written).toMatchObject([{ source: '192.0.2.1', count: 3 }]);
  });

  it('counts bad credentials and requests of nobody apart', async () => {
    const { floods, written } = aCounter({ limit: 1 });
    const note = (refusal: Refusal) => floods.note('192.0.2.1', refusal);
    expect([note('bad'), note('bad'), note('bad')]).toEqual([undefined, 60, 60]);
    expect([note('nobody'), note('nobody')]).toEqual([undefined, 60]);
    await floods.writeNow();
    expect(written).toMatchObject([
      { source: '192.0.2.1', count: 2 },
      { source: '192.0.2.1', count: 1 },
    ]);
  });

  it('writes a row by itself when a minute is over, then lets the address pass again', async () => {
    const { floods, written } = aCounter({ limit: 1, windowMs: 20 });
    floods.note('192.0.2.1', 'bad');
    floods.note('192.0.2.1', 'bad');
    await eventually(() => written.length === 1);
    expect(floods.note('192.0.2.1', 'bad')).toBeUndefined();
    floods.note('192.0.2.1', 'bad');
    await eventually(() => written.length === 2);
    expect(written.map(({ count }) => count)).toEqual([1, 1]);
  });

  it('ends the oldest minute early when there are too many addresses; nothing is lost', async () => {
    const { floods, written } = aCounter({ limit: 1, maxSources: 2 });
    for (const ip of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3']) floods.note(ip, 'bad');
    await eventually(() => written.length === 1);
    expect(written).toMatchObject([{ source: '192.0.2.1', count: 1 }]);
  });

  it('writes again what could not be written, and says how much that is', async () => {
    const written: Flood[] = [];
    let isAway = true;
    const floods = new Floods(
      (flood) => {
        if (isAway) return Promise.reject(new Error('away'));
        written.push(flood);
        return Promise.resolve();
      },
      { limit: 1 },
    );
    for (let count = 0; count < 4; count += 1) floods.note('192.0.2.1', 'bad');
    expect(await floods.writeNow()).toBe(3);
    isAway = false;
    expect(await floods.writeNow()).toBe(0);
    expect(written).toMatchObject([{ source: '192.0.2.1', count: 3 }]);
  });

  it('gives up after one try where nothing can be written: nobody waits for a time-out an address', async () => {
    let tries = 0;
    let isAway = true;
    const written: Flood[] = [];
    const floods = new Floods(
      (flood) => {
        tries += 1;
        if (isAway) return Promise.reject(new Error('away'));
        written.push(flood);
        return Promise.resolve();
      },
      { limit: 1 },
    );
    for (let count = 0; count < 1_000; count += 1) {
      const ip = `192.0.${count >> 8}.${count & 255}`;
      floods.note(ip, 'bad');
      floods.note(ip, 'bad');
    }
    expect(await floods.writeNow()).toBe(1_000);
    expect(tries).toBeLessThanOrEqual(100);
    isAway = false;
    expect(await floods.writeNow()).toBe(0);
    expect(new Set(written.map(({ source }) => source)).size).toBe(1_000);
    expect(written).toHaveLength(1_000);
  });
});
