import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RequestCounter } from '../src/limits/request-counter.js';
import { onPostgres } from './database.js';
import { Client, startServer, startSibling } from './harness.js';
import { anOrganization, aServiceAccount } from './factories.js';
import { hasRedis, TestRedis } from './redis.js';

const describeWithRedis = hasRedis ? describe : describe.skip;
/** Two servers share a database only on PostgreSQL. */
const onPostgresIt = onPostgres ? it : it.skip;

/** Asks until it is so. */
async function eventually(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error('it did not happen');
    await new Promise(setImmediate);
  }
}

describeWithRedis('limits on Redis', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await TestRedis.start();
  });
  afterAll(() => redis.kill());

  async function twoCounters(windowSeconds = 60) {
    const counters = [1, 2].map(() => new RequestCounter({ windowSeconds, redisUrl: redis.url }));
    await eventually(() => counters.every((counter) => counter.isShared));
    const [first, second] = counters as [RequestCounter, RequestCounter];
    return {
      first,
      second,
      used: async (key: string) => [(await first.count(key)).used, (await second.count(key)).used],
      close: () => counters.forEach((counter) => counter.close()),
    };
  }

  it('are shared; held by each process alone while Redis is away; shared again when it is back', async () => {
    const { first, second, used, close } = await twoCounters();
    expect(await used('a')).toEqual([1, 2]);
    expect(await used('a')).toEqual([3, 4]);
    expect((await first.count('a')).resetSeconds).toBeLessThanOrEqual(60);
    await redis.kill();
    expect(await used('a')).toEqual([1, 1]);
    expect(await used('a')).toEqual([2, 2]);
    await redis.start();
    await eventually(() => first.isShared && second.isShared);
    expect(await used('a')).toEqual([1, 2]);
    close();
  }, 30_000);

  it('begin anew when the window is over', async () => {
    const { first, close } = await twoCounters(1);
    expect((await first.count('window')).used).toBe(1);
    let usage = await first.count('window');
    while (usage.used > 1) usage = await first.count('window');
    expect(usage).toEqual({ used: 1, resetSeconds: 1 });
    close();
  }, 30_000);

  it('do not slow requests down when Redis hangs', async () => {
    const { first, close } = await twoCounters();
    redis.hang();
    try {
      const startedAt = performance.now();
      // The first ones are in flight when it hangs; all later ones do not even ask.
      await Promise.all(Array.from({ length: 50 }, async () => first.count('hanging')));
      for (let round = 0; round < 200; round += 1) await first.count('hanging');
      // Each that asked would wait for 100 ms: 20 s in all.
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect((await first.count('hanging')).used).toBe(251);
    } finally {
      redis.resume();
      await eventually(() => first.isShared).finally(close);
    }
  }, 30_000);

  it('hold per process, and the log says so once, where Redis answers with errors only', async () => {
    const server = await startServer({ redisUrl: redis.url });
    await eventually(() => server.app.get(RequestCounter).isShared);
    const organization = await anOrganization(server, { requestsPerMinute: 6 });
    const { client } = await aServiceAccount(server, organization);
    const left = async () => {
      const { status, headers } = await client.get('/v1/me');
      return [status, headers.get('x-ratelimit-remaining')];
    };
    expect([await left(), await left()]).toEqual([
      [200, '5'],
      [200, '4'],
    ]);
    const side = new Redis(redis.url);
    try {
      await side.config('SET', 'maxmemory', '1');
      expect([await left(), await left()]).toEqual([
        [200, '5'],
        [200, '4'],
      ]);
      expect(server.logs().match(/Redis is away/g)).toHaveLength(1);
      expect(server.logs()).not.toContain('Redis is back');
      await side.config('SET', 'maxmemory', '0');
      expect(await left()).toEqual([200, '3']);
      expect(server.logs().match(/Redis is back/g)).toHaveLength(1);
    } finally {
      await side.config('SET', 'maxmemory', '0');
      side.disconnect();
      await server.close();
    }
  }, 30_000);

  it('begin anew when Redis was emptied', async () => {
    const { used, close } = await twoCounters();
    expect(await used('emptied')).toEqual([1, 2]);
    const side = new Redis(redis.url);
    await side.flushall();
    await side.script('FLUSH');
    side.disconnect();
    expect(await used('emptied')).toEqual([1, 2]);
    close();
  }, 30_000);

  it('never keep a server from starting', async () => {
    await redis.kill();
    const server = await startServer({ redisUrl: redis.url });
    const organization = await anOrganization(server, { requestsPerMinute: 2 });
    const { client } = await aServiceAccount(server, organization);
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await client.get('/v1/me')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(server.logs()).toContain('Redis is away');
    await redis.start();
    await eventually(() => server.app.get(RequestCounter).isShared);
    expect((await client.get('/v1/me')).headers.get('x-ratelimit-remaining')).toBe('1');
    await server.close();
  }, 30_000);

  onPostgresIt(
    'are shared by two servers, also after Redis was killed and came back',
    async () => {
      const first = await startServer({ redisUrl: redis.url });
      const second = await startSibling(first);
      const counters = [first, second].map(({ app }) => app.get(RequestCounter));
      const areShared = () => counters.every(({ isShared }) => isShared);
      await eventually(areShared);
      const organization = await anOrganization(first, { requestsPerMinute: 3 });
      const { token } = await aServiceAccount(first, organization);
      const clients = [first, second].map(({ url }) => new Client(url, token));
      const round = async () => {
        const statuses = [];
        for (const client of [...clients, ...clients]) {
          statuses.push((await client.get('/v1/me')).status);
        }
        return statuses;
      };
      expect(await round()).toEqual([200, 200, 200, 429]);
      await redis.kill();
      // Each by itself: three times here, three times there.
      expect([...(await round()), ...(await round())]).toEqual([
        200, 200, 200, 200, 200, 200, 429, 429,
      ]);
      await redis.start();
      await eventually(areShared);
      expect(await round()).toEqual([200, 200, 200, 429]);
      await second.app.close();
      await first.close();
    },
    60_000,
  );
});
