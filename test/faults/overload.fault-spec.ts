import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { eventually } from '../eventually.js';
import { killLeftovers, type ServerProcess } from '../process.js';
import { makeParties, newInstallation, type Parties } from './installation.js';
import { expectValid } from './ledger.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';
import { type Timed, timed } from './timed.js';

const run = promisify(execFile);
const FLOOD = join(import.meta.dirname, 'flood.mjs');

/** Milliseconds: far beyond what a quick request takes, and far below what a stuck one would. */
const QUICK = 1_000;
const LOGINS = 200;
/** Two passwords are checked at a time, and sixteen wait. */
const LOGINS_TAKEN = 18;
const STALLED = 1_000;
/** More than the pool has connections. */
const STUCK = 24;

let postgres: PostgresServer;
let server: ServerProcess;
let parties: Parties;
let databaseUrl: string;

beforeAll(async () => {
  postgres = await PostgresServer.start();
  databaseUrl = await postgres.createDatabase('overload');
  const installation = await newInstallation({
    DATABASE_URL: databaseUrl,
    TRUSTED_PROXIES: '127.0.0.1',
  });
  server = await installation.start();
  parties = await makeParties(server.client);
});
afterAll(async () => {
  await server?.stop();
  killLeftovers();
  postgres?.end();
});

/** What must stay quick, over and over until `isOver`: how long the slowest took. */
async function watch(isOver: () => boolean): Promise<{ slowestMs: number; requests: number }> {
  const reader = parties.admin.withToken(parties.accounts[0]!.token);
  let [slowestMs, requests] = [0, 0];
  while (!isOver()) {
    for (const path of ['/v1/me', '/health/live']) {
      const { answer, ms } = await timed(() => reader.get(path));
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      slowestMs = Math.max(slowestMs, ms);
      requests += 1;
    }
  }
  return { slowestMs, requests };
}

/** All of them, while what must stay quick is watched. */
async function whileWatched(requests: Promise<Timed>[]) {
  let isOver = false;
  const [timings, watched] = await Promise.all([
    Promise.all(requests).finally(() => {
      isOver = true;
    }),
    watch(() => isOver),
  ]);
  expect(watched.slowestMs).toBeLessThan(QUICK);
  const refused = timings.filter(({ answer }) => answer.status === 503);
  for (const { answer } of refused) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  return { timings, refused, watched };
}

describe('a server that is asked for more than it can do', () => {
  it('200 logins at once: as many as wait are let in, all others refused at once', async () => {
    const login = { email: 'ada@example.com', password: 'a long enough passphrase' };
    // Each from an address of its own: several of one would have to wait for each other.
    const logins = Array.from({ length: LOGINS }, (_, number) =>
      timed(() =>
        server.client.post('/v1/sessions', login, { 'x-forwarded-for': `192.0.2.${number}` }),
      ),
    );
    const { timings, refused, watched } = await whileWatched(logins);
    const taken = timings.filter(({ answer }) => answer.status === 200 || answer.status === 201);
    expect(taken.length).toBeGreaterThanOrEqual(LOGINS_TAKEN);
    expect(taken.length + refused.length).toBe(LOGINS);
    expect(refused.length).toBeGreaterThan(LOGINS / 2);
    report('200 logins at once', {
      taken: taken.length,
      refused: refused.length,
      slowestRefusalMs: Math.max(...refused.map(({ ms }) => ms)),
      ...watched,
    });
  });

  it('all connections of the pool in use: refused in time, what needs none goes on', async () => {
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM service_accounts WHERE id = $1 FOR UPDATE', [
        parties.accounts[1]!.id,
      ]);
      const stuck = Array.from({ length: STUCK }, () =>
        timed(() => parties.admin.post(parties.accounts[1]!.keys, { name: 'Stuck' })),
      );
      const { timings, refused, watched } = await whileWatched(stuck);
      expect(refused).toHaveLength(STUCK);
      const slowestRefusalMs = Math.max(...timings.map(({ ms }) => ms));
      expect(slowestRefusalMs).toBeLessThan(3_500);
      report('pool exhausted', { refused: refused.length, slowestRefusalMs, ...watched });
    } finally {
      await holder.end();
    }
    await eventually(async () => {
      const { status } = await parties.admin.post(parties.accounts[1]!.keys, { name: 'Free' });
      return status === 201 ? true : undefined;
    });
  });

  it('20,000 requests at once: what is too much is refused, and health answers meanwhile', async () => {
    const { port } = new URL(server.url);
    const [sockets, each] = [2_000, 10];
    const values = [FLOOD, port, parties.accounts[0]!.token, String(sockets), String(each)];
    const begun = performance.now();
    let printed: string | undefined;
    const flooding = run('node', values).then(({ stdout }) => (printed = stdout));
    let liveMs = 0;
    while (printed === undefined) {
      const { answer, ms } = await timed(() => server.client.get('/health/live'));
      expect(answer.status).toBe(200);
      liveMs = Math.max(liveMs, ms);
    }
    await flooding;
    const { statuses, lost, withoutRetryAfter } = JSON.parse(printed) as Record<string, any>;
    expect(Object.keys(statuses)).toEqual(['200', '503']);
    expect({ lost, withoutRetryAfter }).toEqual({ lost: 0, withoutRetryAfter: 0 });
    // The rest of one turn of its event loop is what it has to wait for.
    expect(liveMs).toBeLessThan(10 * QUICK);
    const totalMs = performance.now() - begun;
    report('20,000 requests at once', { statuses, liveMs, totalMs });
    expect((await parties.admin.get('/v1/me')).status).toBe(200);
    await expectValid(parties.admin, parties.path);
  });

  it('1,000 sockets that stall: everybody else is served, and they are sent away', async () => {
    const port = Number(new URL(server.url).port);
    let closed = 0;
    const sockets = await Promise.all(
      Array.from(
        { length: STALLED },
        () =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect(port, '127.0.0.1', () => {
              socket.write('GET /v1/me HTTP/1.1\r\nHost: a\r\nX-Slow: ');
              resolve(socket);
            });
            socket.on('error', reject);
            socket.on('close', () => (closed += 1));
            socket.resume();
          }),
      ),
    );
    try {
      const watched = await watch(() => closed === STALLED);
      expect(watched.slowestMs).toBeLessThan(QUICK);
      report('1,000 stalled sockets', { closed, ...watched });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
