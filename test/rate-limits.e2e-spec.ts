import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { onPostgres } from './database.js';
import { type Answer, type Client, eventsOf, startServer, startSibling } from './harness.js';
import type { TestServer } from './harness.js';
import { aKey, anOrganization, aPerson, aServiceAccount } from './factories.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const onPostgresIt = onPostgres ? it : it.skip;

/** An organization whose owner has set its limit through the API. */
async function aLimitedOrganization(requestsPerMinute: number) {
  const organization = await anOrganization(server, { requestsPerMinute: 500 });
  const owner = await aPerson(server, organization);
  const settings = { requestsPerMinute };
  expect((await owner.client.patch(organization.path, { settings })).status).toBe(200);
  return { organization, owner };
}

/** What an answer says of the limit. */
function limitOf({ headers }: Answer) {
  const numbers = (name: string) => Number(headers.get(`x-ratelimit-${name}`) ?? NaN);
  return [numbers('limit'), numbers('remaining')];
}

/** An operation as the headers name it. */
function partitionOf(operation: string): string {
  return `:${Buffer.from(operation).toString('base64')}:`;
}

/** As many GETs as asked for; answers their statuses. */
async function get(client: Client, path: string, times: number): Promise<number[]> {
  const statuses = [];
  for (let count = 0; count < times; count += 1) statuses.push((await client.get(path)).status);
  return statuses;
}

describe('a key that uses one operation', () => {
  it('is told exactly how much is left', async () => {
    const { organization } = await aLimitedOrganization(5);
    const { client } = await aServiceAccount(server, organization);
    const first = await client.get('/v1/me');
    expect(first.status).toBe(200);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'ratelimit-policy': `"default";q=5;w=60;pk=${partitionOf('GET /v1/me')}`,
      ratelimit: `"default";r=4;t=60;pk=${partitionOf('GET /v1/me')}`,
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': '60',
    });
    const second = await client.get('/v1/me');
    const seconds = second.headers.get('x-ratelimit-reset');
    expect(['59', '60']).toContain(seconds);
    const partition = partitionOf('GET /v1/me');
    expect(second.headers.get('ratelimit')).toBe(`"default";r=3;t=${seconds};pk=${partition}`);
  });

  it('is told which operation is meant, in the words of the contract', async () => {
    const { organization } = await aLimitedOrganization(5);
    const { client, path } = await aServiceAccount(server, organization);
    const place = '/v1/organizations/{organizationId}/service-accounts/{serviceAccountId}';
    for (const [verb, what] of [
      ['GET', path],
      ['HEAD', path],
    ] as const) {
      const { headers } = await client.request(verb, what);
      expect(headers.get('ratelimit')).toContain(`;pk=${partitionOf(`GET ${place}`)}`);
    }
    const { headers } = await client.delete(path);
    expect(headers.get('ratelimit-policy')).toContain(`;pk=${partitionOf(`DELETE ${place}`)}`);
  });

  it('is told so in a 304 too', async () => {
    const { organization } = await aLimitedOrganization(5);
    const { client, path } = await aServiceAccount(server, organization);
    const { headers } = await client.get(path);
    const known = await client.get(path, { 'if-none-match': headers.get('etag') ?? '' });
    expect([known.status, ...limitOf(known)]).toEqual([304, 5, 3]);
  });

  it('is told so where the answer is streamed, and refused before anything of it is', async () => {
    const { organization, owner } = await aLimitedOrganization(2);
    const path = `${organization.path}/exports/users?format=csv`;
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await owner.client.get(path));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map(limitOf)).toEqual([1, 0, 0].map((left) => [2, left]));
    const exported = await eventsOf(server, {
      chain: organization.id,
      action: 'export.completed',
    });
    expect(exported).toHaveLength(2);
  });

  it('answers 429 to one request too many, with its event', async () => {
    const { organization } = await aLimitedOrganization(5);
    const account = await aServiceAccount(server, organization);
    expect(await get(account.client, '/v1/me', 5)).toEqual([200, 200, 200, 200, 200]);
    const { status, headers, body } = await account.client.get('/v1/me');
    const requestId = headers.get('x-request-id')!;
    const seconds = headers.get('x-ratelimit-reset')!;
    expect(Number(seconds)).toBeGreaterThan(50);
    expect(status).toBe(429);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(headers.get('retry-after')).toBe(seconds);
    const partition = partitionOf('GET /v1/me');
    expect(headers.get('ratelimit-policy')).toBe(`"default";q=5;w=60;pk=${partition}`);
    expect(headers.get('ratelimit')).toBe(`"default";r=0;t=${seconds};pk=${partition}`);
    expect(body).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: 'This credential may use this operation 5 times a minute.',
      instance: `urn:claviger:request:${requestId}`,
      code: 'rate_limited',
      requestId,
      'violated-policies': ['default'],
    });
    const events = await eventsOf(server, { requestId });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ chain: organization.id, outcome: 'denied' });
    expect(events[0]!.event).toMatchObject({
      action: 'http.request',
      actor: { type: 'serviceAccount', id: account.id },
      key: { id: account.keyId },
      route: '/v1/me',
      status: 429,
      reason: 'rate_limited',
    });
  });

  it('has the whole limit for every operation and every key; HEAD counts as GET', async () => {
    const { organization } = await aLimitedOrganization(3);
    const account = await aServiceAccount(server, organization);
    const { client } = account;
    const [one, other] = [`${organization.path}/keys`, `${organization.path}/service-accounts`];
    expect(await get(client, one, 4)).toEqual([200, 200, 200, 429]);
    expect(await get(client, other, 2)).toEqual([200, 200]);
    expect((await client.request('HEAD', other)).status).toBe(200);
    expect((await client.request('HEAD', other)).status).toBe(429);
    // One operation, whatever its path parameters and query are.
    expect(await get(client, `${one}?limit=1`, 1)).toEqual([429]);
    // The same path with another method is another operation.
    expect((await client.post(other, {})).status).toBe(403);
    const second = await aKey(server, organization, account);
    expect(await get(second.client, one, 4)).toEqual([200, 200, 200, 429]);
  });

  it('counts under the template, not under the path', async () => {
    const { organization } = await aLimitedOrganization(2);
    const accounts = [
      await aServiceAccount(server, organization),
      await aServiceAccount(server, organization),
    ];
    const [{ client }] = accounts as [(typeof accounts)[0]];
    const statuses = [];
    for (const { path } of [...accounts, ...accounts])
      statuses.push((await client.get(path)).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
  });
});

describe('requests that are refused for another reason', () => {
  it('count too, and say what is left', async () => {
    const { organization } = await aLimitedOrganization(4);
    const { client } = await aServiceAccount(server, organization, { role: 'provisioner' });
    const path = `${organization.path}/users`;
    const answers = [
      await client.post(path, '{"email":'),
      await client.post(path, 'email=a', { 'content-type': 'text/plain' }),
      await client.post(path, {}),
      await client.post(path, {}),
      await client.post(path, {}),
      // Refused before the limit is looked at.
      await client.post(path, '{"email":'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 415, 400, 400, 429, 400]);
    expect(answers.map(limitOf)).toEqual([3, 2, 1, 0, 0, 0].map((left) => [4, left]));
  });

  it('stay what they are when they are too many: 403 and 404 go before 429', async () => {
    const { organization } = await aLimitedOrganization(2);
    const other = await anOrganization(server);
    const { client } = await aServiceAccount(server, organization);
    const audit = `${organization.path}/audit-events`;
    expect(await get(client, audit, 4)).toEqual([403, 403, 403, 403]);
    expect(limitOf(await client.get(audit))).toEqual([2, 0]);
    expect(await get(client, `${other.path}/keys`, 2)).toEqual([404, 404]);
    // They have used the operation up in one's own organization as well.
    expect(await get(client, `${organization.path}/keys`, 1)).toEqual([429]);
  });

  it.each([
    ['let in by the cache: the gate replaces the answer', 4],
    ['one too many: the guard looks again', 1],
  ])('say nothing of limits when the credential has ended (%s)', async (_when, limit) => {
    const { organization, owner } = await aLimitedOrganization(limit);
    const account = await aServiceAccount(server, organization);
    const cached = await account.client.get('/v1/me');
    expect([cached.status, ...limitOf(cached)]).toEqual([200, limit, limit - 1]);
    await owner.client.delete(`${account.path}/keys/${account.keyId}`);
    const ended = await account.client.get('/v1/me');
    expect(ended.status).toBe(401);
    expect([...ended.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
  });

  it('say nothing of limits without a good credential, or where none is asked for', async () => {
    const answers = [
      await server.client.get('/v1/me'),
      await server.client.withToken('clv_nonsense').get('/v1/me'),
      await server.client.post('/v1/sessions', { email: 'a@example.com', password: 'b' }),
      await server.client.get('/health/live'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 200]);
    for (const { headers } of answers) {
      expect([...headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
    }
  });
});

describe('a session', () => {
  it('has the limit of the organization in the path, else 500', async () => {
    const { organization, owner } = await aLimitedOrganization(3);
    expect(limitOf(await owner.client.get(organization.path))).toEqual([3, 2]);
    expect(await get(owner.client, organization.path, 3)).toEqual([200, 200, 429]);
    expect(limitOf(await owner.client.get('/v1/me'))).toEqual([500, 499]);
    const again = await aPerson(server, organization);
    expect(limitOf(await again.client.get(organization.path))).toEqual([3, 2]);
  });
});

describe('a changed limit', () => {
  it('holds for the very next request of a key whose credential is cached', async () => {
    const { organization, owner } = await aLimitedOrganization(500);
    const { client } = await aServiceAccount(server, organization);
    expect(await get(client, '/v1/me', 3)).toEqual([200, 200, 200]);
    // Limits are for those who set them too: two changes a minute with one session, so it takes two.
    const other = await aPerson(server, organization);
    const change = async ({ client: changer }: typeof owner, requestsPerMinute: number) => {
      const settings = { requestsPerMinute };
      expect((await changer.patch(organization.path, { settings })).status).toBe(200);
    };
    await change(owner, 2);
    const lowered = await client.get('/v1/me');
    expect(lowered.status).toBe(429);
    expect(lowered.headers.get('retry-after')).toBe(lowered.headers.get('x-ratelimit-reset'));
    expect(limitOf(lowered)).toEqual([2, 0]);
    const events = await eventsOf(server, { requestId: lowered.body.requestId });
    expect(events.map(({ event }) => event.status)).toEqual([429]);
    await change(other, 10);
    const raised = await client.get('/v1/me');
    expect([raised.status, ...limitOf(raised)]).toEqual([200, 10, 5]);
  });

  onPostgresIt('holds on another instance too', async () => {
    const sibling = await startSibling(server);
    const { organization, owner } = await aLimitedOrganization(500);
    const account = await aServiceAccount(server, organization);
    const client = new (server.client.constructor as typeof Client)(sibling.url, account.token);
    expect(await get(client, '/v1/me', 3)).toEqual([200, 200, 200]);
    await owner.client.patch(organization.path, { settings: { requestsPerMinute: 2 } });
    expect(await get(client, '/v1/me', 1)).toEqual([429]);
    await sibling.app.close();
  });
});

describe('a service account’s own limit', () => {
  it('goes before the organization’s until it is taken away', async () => {
    const { organization, owner } = await aLimitedOrganization(5);
    const account = await aServiceAccount(server, organization);
    expect((await owner.client.get(account.path)).body.requestsPerMinute).toBeNull();
    const set = await owner.client.patch(account.path, { requestsPerMinute: 7 });
    expect(set.body.requestsPerMinute).toBe(7);
    expect(limitOf(await account.client.get('/v1/me'))).toEqual([7, 6]);
    await owner.client.patch(account.path, { requestsPerMinute: 2 });
    expect(limitOf(await account.client.get('/v1/me'))).toEqual([2, 0]);
    expect((await account.client.get('/v1/me')).status).toBe(429);
    // Nobody else's.
    const other = await aServiceAccount(server, organization);
    expect(limitOf(await other.client.get('/v1/me'))).toEqual([5, 4]);
    const cleared = await owner.client.patch(account.path, { requestsPerMinute: null });
    expect(cleared.body.requestsPerMinute).toBeNull();
    expect(limitOf(await account.client.get('/v1/me'))).toEqual([5, 1]);
    const changes = (
      await eventsOf(server, { chain: organization.id, action: 'service_account.updated' })
    ).map(({ event }) => event.changes);
    expect(changes).toEqual([
      { requestsPerMinute: { before: null, after: 7 } },
      { requestsPerMinute: { before: 7, after: 2 } },
      { requestsPerMinute: { before: 2, after: null } },
    ]);
  });

  it('can be given at the creation', async () => {
    const { organization, owner } = await aLimitedOrganization(5);
    const { status, body } = await owner.client.post(`${organization.path}/service-accounts`, {
      name: 'Busy',
      role: 'viewer',
      requestsPerMinute: 1_000_000,
    });
    expect(status).toBe(201);
    expect(body.serviceAccount.requestsPerMinute).toBe(1_000_000);
    const answer = await server.client.withToken(body.key.token).get('/v1/me');
    expect(limitOf(answer)).toEqual([1_000_000, 999_999]);
  });

  it.each([0, -1, 1.5, 1_000_001, '5', true])('refuses %p', async (requestsPerMinute) => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization);
    const { status, body } = await owner.client.patch(account.path, { requestsPerMinute });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ pointer: '/requestsPerMinute' }]);
  });

  it('cannot be changed by the account itself, nor without service-accounts:manage', async () => {
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const other = await aServiceAccount(server, organization, { role: 'admin' });
    const viewer = await aServiceAccount(server, organization);
    const change = { requestsPerMinute: 900_000 };
    const own = await account.client.patch(account.path, change);
    expect([own.status, own.body.code]).toEqual([403, 'own_limit']);
    const without = await viewer.client.patch(account.path, change);
    expect([without.status, without.body.required]).toEqual([403, 'service-accounts:manage']);
    expect((await other.client.get(account.path)).body.requestsPerMinute).toBeNull();
    // What is not about the limit may be said, even with the limit as it is.
    const same = { requestsPerMinute: null, purpose: 'Something else' };
    expect((await account.client.patch(account.path, same)).status).toBe(200);
    expect((await other.client.patch(account.path, change)).body.requestsPerMinute).toBe(900_000);
  });
});
