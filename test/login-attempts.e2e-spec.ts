import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PasswordHasher, PasswordsBusyError } from '../src/crypto/password.js';
import { onPostgres } from './database.js';
import { aPerson, PASSWORD } from './factories.js';
import {
  type Answer,
  changesOf,
  errorsOf,
  eventsOf,
  startServer,
  startSibling,
  type TestServer,
} from './harness.js';
import { asSeen } from './same-answer.js';

const WRONG = 'not the password at all';
const onPostgresIt = onPostgres ? it : it.skip;
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
});
afterAll(() => server.close());
afterEach(() => void jest.restoreAllMocks());

function login(email: string, password: string, ip = '192.0.2.1', one = server): Promise<Answer> {
  return one.client.post('/v1/sessions', { email, password }, { 'x-forwarded-for': ip });
}

async function fail(email: string, times: number, ip?: string): Promise<Answer[]> {
  const answers = [];
  for (let count = 0; count < times; count += 1) answers.push(await login(email, WRONG, ip));
  return answers;
}

/** As if so many seconds had gone by since the last attempt of everybody. */
const letPass = (seconds: number) =>
  server.database.system(
    (tx) => tx.$executeRaw`
      UPDATE attempt_counters SET ends_at = ends_at - make_interval(secs => ${seconds}::int)`,
  );

const waitOf = ({ headers }: Answer) => Number(headers.get('retry-after'));

/** Without how long there is to wait, which the clock decides. */
const withoutWait = (answer: Answer) =>
  asSeen(answer).replaceAll(/\d+(?= seconds)|(?<="retry-after",")\d+/g, '…');

describe('a password that is guessed', () => {
  it('429: after 5 failures also for the right password, until the wait is over', async () => {
    const { email } = await aPerson(server, null);
    expect((await fail(email, 5)).map(({ status }) => status)).toEqual(Array(5).fill(401));
    const refused = await login(email.toUpperCase(), PASSWORD);
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_login_attempts']);
    expect(refused.body.detail).toContain(`wait ${waitOf(refused)} seconds`);
    expect(waitOf(refused)).toBeGreaterThan(0);
    expect(waitOf(refused)).toBeLessThanOrEqual(30);
    await letPass(30);
    expect((await login(email, PASSWORD)).status).toBe(201);
    // A success begins anew.
    expect((await fail(email, 5)).map(({ status }) => status)).toEqual(Array(5).fill(401));
  });

  it('429: the wait doubles with each further failure up to 15 minutes, and always ends', async () => {
    const { email } = await aPerson(server, null);
    await fail(email, 4);
    for (const seconds of [30, 60, 120, 240, 480, 900, 900, 900]) {
      expect((await login(email, WRONG)).status).toBe(401);
      await letPass(seconds - 5);
      const refused = await login(email, PASSWORD);
      expect(refused.status).toBe(429);
      expect(waitOf(refused)).toBeGreaterThan(0);
      expect(waitOf(refused)).toBeLessThanOrEqual(5);
      await letPass(5);
    }
    expect((await login(email, PASSWORD)).status).toBe(201);
  });

  it('201: from another address, where an IPv6 network is one', async () => {
    const { email } = await aPerson(server, null);
    await fail(email, 5, '2001:db8:0:1::1');
    expect((await login(email, PASSWORD, '2001:db8:0:1::2')).status).toBe(429);
    expect((await login(email, PASSWORD, '2001:db8:0:2::1')).status).toBe(201);
    const other = await aPerson(server, null);
    expect((await login(other.email, PASSWORD, '2001:db8:0:1::1')).status).toBe(201);
  });

  it('the same answers, events and stored numbers for somebody and for nobody', async () => {
    const { email } = await aPerson(server, null);
    const nobody = `nobody-${email}`;
    const [known, unknown] = [await fail(email, 7), await fail(nobody, 7)];
    expect(known.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect(unknown.map(withoutWait)).toEqual(known.map(withoutWait));
    for (const { headers } of [known[6]!, unknown[6]!]) {
      const requestId = headers.get('x-request-id')!;
      const events = (await eventsOf(server, { requestId })).map(({ event }) => event);
      expect(events).toMatchObject([
        { status: 429, outcome: 'denied', reason: 'too_many_login_attempts', targets: [] },
      ]);
    }
    const rows = await server.database.system((tx) => tx.attemptCounter.findMany());
    for (const { keyHash, count } of rows) {
      expect(keyHash).toHaveLength(32);
      expect(count).toBeLessThanOrEqual(12);
    }
  });

  it('429: costs no hashing, and of many at once 5 are checked, the right one or not', async () => {
    const { email } = await aPerson(server, null);
    const verify = jest.spyOn(server.app.get(PasswordHasher), 'verify');
    const passwords = Array.from({ length: 25 }, (_, number) => `${WRONG} ${number}`);
    const answers = await Promise.all(passwords.map((password) => login(email, password)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(20).fill(429)]);
    expect((await login(email, PASSWORD)).status).toBe(429);
    expect(verify).toHaveBeenCalledTimes(5);
  });

  onPostgresIt('429: on all instances together, many at once among them', async () => {
    const { email } = await aPerson(server, null);
    const sibling = await startSibling(server);
    try {
      const attempts = Array.from({ length: 24 }, (_, number) =>
        login(email, WRONG, '192.0.2.1', number % 2 === 0 ? server : sibling),
      );
      const statuses = (await Promise.all(attempts)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(19);
      expect((await login(email, PASSWORD, '192.0.2.1', sibling)).status).toBe(429);
      await letPass(30);
      expect((await login(email, PASSWORD, '192.0.2.1', sibling)).status).toBe(201);
      expect((await login(email, WRONG)).status).toBe(401);
    } finally {
      await sibling.close();
    }
  });

  it('503: what could not be checked does not count', async () => {
    const { email } = await aPerson(server, null);
    const verify = jest.spyOn(server.app.get(PasswordHasher), 'verify');
    verify.mockRejectedValue(new PasswordsBusyError());
    expect((await fail(email, 8)).map(({ status }) => status)).toEqual(Array(8).fill(503));
    verify.mockRestore();
    await fail(email, 5);
    expect((await login(email, PASSWORD)).status).toBe(429);
    await letPass(30);
    jest
      .spyOn(server.app.get(PasswordHasher), 'verify')
      .mockRejectedValue(new PasswordsBusyError());
    expect((await login(email, PASSWORD)).status).toBe(503);
    jest.restoreAllMocks();
    expect((await login(email, PASSWORD)).status).toBe(201);
  });
});

describe('a password that a session is asked for', () => {
  const change = (currentPassword: string) => ({ currentPassword, newPassword: `${PASSWORD} too` });

  it('429: counts together with logins, and a change of the password begins anew', async () => {
    const { email, client } = await aPerson(server, null);
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const ask = (password: string) => client.post('/v1/me/password', change(password), headers);
    await fail(email, 2);
    for (let count = 0; count < 3; count += 1) {
      expect(errorsOf(await ask(WRONG))).toEqual([400, [['/currentPassword', 'wrong_password']]]);
    }
    const refused = await ask(PASSWORD);
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_login_attempts']);
    expect(await changesOf(server, refused)).toEqual([]);
    expect((await login(email, PASSWORD)).status).toBe(429);
    await letPass(30);
    expect((await ask(PASSWORD)).status).toBe(204);
    expect((await login(email, PASSWORD)).status).toBe(401);
  });
});
