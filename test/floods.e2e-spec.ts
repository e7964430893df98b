import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditGate } from '../src/audit/gate.js';
import { MAX_REFUSALS } from '../src/audit/floods.js';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { testDatabase } from './database.js';
import { remember } from './canary.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
});
afterAll(() => server.close());

const from = (ip: string) => ({ 'x-forwarded-for': ip });

/** Ends the minute that is being counted. */
function endMinute(one = server): Promise<number> {
  return one.app.get(AuditGate).floods.writeNow();
}

/** What the trail says of an address: single refusals, and the counts of its floods. */
async function recorded(ip: string, one = server) {
  const events = await eventsOf(one, {});
  const own = events.filter(({ event }) => event.ip === ip);
  const floods = own.filter(({ action }) => action === 'http.request.flood');
  return {
    single: own.filter(({ event }) => event.action === 'http.request' && event.status === 401)
      .length,
    counted: floods.map(({ event }) => event.changes.count.after as number),
    floods,
  };
}

function statusesOf(answers: Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** A well-formed token of a key that does not exist. */
function unknownToken(): string {
  const token = createToken(server.instance.tokenPrefix, 'key', newId('key'));
  remember(token);
  return token;
}

describe('a flood of bad credentials from one address', () => {
  it('is answered 429 and recorded as one row, whose count and the single rows add up', async () => {
    const ip = '192.0.2.1';
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization);
    const tokens = [unknownToken(), 'nonsense', unknownToken(), `${account.token.slice(0, -1)}x`];
    const answers: Answer[] = [];
    for (let round = 0; round < 50; round += 1) {
      answers.push(
        ...(await Promise.all(
          tokens.map((token) => server.client.withToken(token).get('/v1/me', from(ip))),
        )),
      );
    }
    expect(statusesOf(answers)).toEqual({
      401: MAX_REFUSALS,
      429: 200 - MAX_REFUSALS,
    });
    const refused = answers.find(({ status }) => status === 429)!;
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get('www-authenticate')).toBeNull();
    expect(refused.body).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
      status: 429,
      code: 'too_many_bad_credentials',
      'violated-policies': ['bad-credentials'],
    });
    expect(await eventsOf(server, { requestId: refused.body.requestId })).toEqual([]);

    expect(await endMinute()).toBe(0);
    const { single, counted, floods } = await recorded(ip);
    expect([single, ...counted]).toEqual([MAX_REFUSALS, 200 - MAX_REFUSALS]);
    expect(floods[0]).toMatchObject({ chain: 'system', outcome: 'denied', requestId: null });
    const { changes, ...event } = floods[0]!.event;
    expect(event).toMatchObject({ status: 429, reason: 'too_many_bad_credentials', ip });
    expect(Date.parse(changes.from.after)).toBeLessThanOrEqual(Date.parse(changes.to.after));
  });

  it('begins anew when the minute is over', async () => {
    const ip = '192.0.2.2';
    const bad = () => server.client.get('/v1/me', from(ip));
    const burst = () => Promise.all(Array.from({ length: MAX_REFUSALS + 5 }, bad));
    expect(statusesOf(await burst())).toEqual({ 401: MAX_REFUSALS, 429: 5 });
    await endMinute();
    expect(statusesOf(await burst())).toEqual({ 401: MAX_REFUSALS, 429: 5 });
    await endMinute();
    const { single, counted } = await recorded(ip);
    expect([single, ...counted]).toEqual([2 * MAX_REFUSALS, 5, 5]);
  });

  it('does not touch good credentials from the same address, nor other addresses', async () => {
    const ip = '192.0.2.3';
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization);
    const person = await aPerson(server, organization);
    const bad = server.client.withToken(unknownToken());
    const flood = Promise.all(Array.from({ length: 150 }, () => bad.get('/v1/me', from(ip))));
    const good = [];
    for (let round = 0; round < 10; round += 1) {
      good.push(await account.client.get('/v1/me', from(ip)));
      good.push(await person.client.get(organization.path, from(ip)));
    }
    expect(statusesOf(await flood)[429]).toBe(150 - MAX_REFUSALS);
    // A key that this server has never seen is let in too, now that the flood is on.
    const late = await aServiceAccount(server, organization);
    good.push(await late.client.get('/v1/me', from(ip)));
    expect(statusesOf(good)).toEqual({ 200: 21 });
    expect((await bad.get('/v1/me', from('192.0.2.4'))).status).toBe(401);
    for (const { headers } of good) {
      const requestId = headers.get('x-request-id')!;
      expect(await eventsOf(server, { requestId })).toHaveLength(1);
    }
  });

  it('counts bad tokens wherever they are sent', async () => {
    const ip = '192.0.2.5';
    const bad = server.client.withToken(unknownToken());
    const flood = Array.from({ length: MAX_REFUSALS }, (_, index) =>
      bad.get(index % 2 === 0 ? '/v1/nothing' : '/v1/me', from(ip)),
    );
    expect(statusesOf(await Promise.all(flood))).toEqual({ 401: 30, 404: 30 });
    expect((await bad.get('/v1/nothing', from(ip))).status).toBe(429);
    // Nobody asked for a credential here; logins have a limit of their own.
    expect((await server.client.get('/v1/nothing', from(ip))).status).toBe(404);
    const login = { email: 'nobody@example.com', password: 'wrong' };
    expect((await bad.post('/v1/sessions', login, from(ip))).status).toBe(401);
    expect((await bad.post('/v1/sessions', '{"email":', from(ip))).status).toBe(400);
    await endMinute();
    expect((await recorded(ip)).counted).toEqual([1]);
  });

  it('takes nothing from those who show none: a login page opens', async () => {
    const ip = '192.0.2.6';
    const person = await aPerson(server, null);
    const bad = server.client.withToken(unknownToken());
    const flood = Array.from({ length: 70 }, () => bad.get('/v1/me', from(ip)));
    expect(statusesOf(await Promise.all(flood))).toEqual({ 401: MAX_REFUSALS, 429: 10 });
    expect((await server.client.get('/v1/me', from(ip))).status).toBe(401);
    // Nor from somebody whose session is over: a browser shows it until the next login.
    await person.client.delete('/v1/sessions/current', from(ip));
    expect((await person.client.get('/v1/me', from(ip))).status).toBe(401);
    const { email, password } = person;
    expect((await server.client.post('/v1/sessions', { email, password }, from(ip))).status).toBe(
      201,
    );
    await endMinute();
    expect((await recorded(ip)).counted).toEqual([10]);
  });

  it('of those who show none takes nothing from others, a login and bad tokens among them', async () => {
    const ip = '192.0.2.7';
    const person = await aPerson(server, null);
    const over = await aPerson(server, null);
    await over.client.delete('/v1/sessions/current');
    const clients = [server.client, over.client];
    const flood = Array.from({ length: 70 }, (_, index) =>
      clients[index % 2]!.get('/v1/me', from(ip)),
    );
    expect(statusesOf(await Promise.all(flood))).toEqual({ 401: MAX_REFUSALS, 429: 10 });
    const bad = server.client.withToken(unknownToken());
    expect((await bad.get('/v1/me', from(ip))).status).toBe(401);
    expect((await person.client.get('/v1/me', from(ip))).status).toBe(200);
    const { email, password } = person;
    const login = await server.client.post('/v1/sessions', { email, password }, from(ip));
    expect(login.status).toBe(201);
    remember(login.body.token);
    const entered = server.client.withToken(login.body.token);
    expect((await entered.get('/v1/me', from(ip))).status).toBe(200);
    await endMinute();
    expect((await recorded(ip)).counted).toEqual([10]);
  });

  it('still takes back a cookie that somebody else has put beside the panel’s', async () => {
    const headers = { ...from('192.0.2.8'), cookie: 'claviger=x; claviger=y' };
    const flood = Array.from({ length: 70 }, () => server.client.get('/v1/me', headers));
    const answers = await Promise.all(flood);
    expect(statusesOf(answers)).toEqual({ 401: MAX_REFUSALS, 429: 10 });
    for (const answer of answers) {
      const paths = answer.headers.getSetCookie().map((line) => /Path=([^;]+)/.exec(line)?.[1]);
      expect(paths).toEqual(['/v1', '/v1/', '/v1/me', '/v1/me/']);
    }
  });

  it('takes a /64 of IPv6 for one address', async () => {
    const bad = (index: number) =>
      server.client.get('/v1/me', from(`2001:db8:0:1::${index.toString(16)}`));
    const answers = await Promise.all(Array.from({ length: 70 }, (_, index) => bad(index + 1)));
    expect(statusesOf(answers)).toEqual({ 401: MAX_REFUSALS, 429: 10 });
    expect((await server.client.get('/v1/me', from('2001:db8:0:2::1'))).status).toBe(401);
    await endMinute();
    expect((await recorded('2001:db8:0:1::/64')).counted).toEqual([10]);
  });
});

describe('a server that is shut down', () => {
  it('writes the minute that it was counting', async () => {
    const database = await testDatabase({ durable: true });
    const first = await startServer(database.config);
    const answers = await Promise.all(Array.from({ length: 80 }, () => first.client.get('/v1/me')));
    expect(statusesOf(answers)).toEqual({ 401: MAX_REFUSALS, 429: 20 });
    await first.close();
    const second = await startServer(database.config);
    const found = await recorded('127.0.0.1', second);
    await second.close();
    await database.cleanup();
    expect([found.single, ...found.counted]).toEqual([MAX_REFUSALS, 20]);
  });
});
