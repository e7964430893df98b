import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PasswordHasher } from '../src/crypto/password.js';
import { aPerson } from './factories.js';
import { startServer, type TestServer } from './harness.js';

const WRONG = 'not the password at all';
/** Logins of each kind whose times are compared. */
const SAMPLES = 20;
/**
 * Standard deviations of the rank sum, by which chance alone is off once in 150,000 runs. Were nothing hashed for strangers, all
 * of their times would be the shorter ones: 5.4.
 */
const BEYOND_CHANCE = 4.5;

let server: TestServer;
let calls = 0;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
});
afterAll(() => server.close());
afterEach(() => void jest.restoreAllMocks());

/** From another address each time: this is not about waits. */
async function fail(email: string): Promise<void> {
  const headers = { 'x-forwarded-for': `192.0.2.${(calls += 1)}` };
  const answer = await server.client.post('/v1/sessions', { email, password: WRONG }, headers);
  expect(answer.status).toBe(401);
}

/** What the server asks of its database and of argon2 for one failed login. */
async function workOf(email: string) {
  const raw = jest.spyOn(server.database, 'raw');
  const system = jest.spyOn(server.database, 'system');
  const verify = jest.spyOn(server.app.get(PasswordHasher), 'verify');
  await fail(email);
  const work = {
    statements: raw.mock.calls.map(([{ name }]) => name),
    transactions: system.mock.calls.length,
    passwords: verify.mock.calls.map(([, password]) => password),
  };
  jest.restoreAllMocks();
  return work;
}

/** The least of a few times: what the server does by itself in between only ever adds. */
async function leastWorkOf(email: string) {
  const sizeOf = ({ statements, transactions }: Awaited<ReturnType<typeof workOf>>) =>
    statements.length + transactions;
  let least = await workOf(email);
  for (let again = 0; again < 3; again += 1) {
    const work = await workOf(email);
    if (sizeOf(work) < sizeOf(least)) least = work;
  }
  return least;
}

/** How many standard deviations the rank sum of the first is from that of two samples of one kind (Mann-Whitney). */
function rankDistance(first: number[], second: number[]): number {
  const smaller = first.flatMap((one) => second.map((other) => Number(one < other)));
  const count = smaller.reduce((sum, one) => sum + one, 0);
  const [n, m] = [first.length, second.length];
  return Math.abs(count - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
}

async function millisecondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

describe('a login that fails', () => {
  it('asks for the same statements and one argon2 whether anybody has the e-mail or not', async () => {
    const { email } = await aPerson(server, null);
    const known = await leastWorkOf(email);
    expect(known).toEqual({
      statements: ['count_login_attempt', 'login_person'],
      transactions: 0,
      passwords: [WRONG],
    });
    expect(await leastWorkOf('nobody@example.com')).toEqual(known);
  });

  it('takes no telling longer for somebody than for nobody', async () => {
    const { email } = await aPerson(server, null);
    const [known, unknown]: [number[], number[]] = [[], []];
    // By turns, and in changing order: what else the machine does meets both alike.
    for (let round = 0; round < SAMPLES; round += 1) {
      const pair = [
        async () => known.push(await millisecondsOf(() => fail(email))),
        async () => unknown.push(await millisecondsOf(() => fail(`nobody${round}@example.com`))),
      ];
      for (const sample of round % 2 === 0 ? pair : pair.reverse()) await sample();
    }
    expect(rankDistance(known, unknown)).toBeLessThan(BEYOND_CHANCE);
  });
});
