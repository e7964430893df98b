import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { onPostgres } from './database.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
} from './factories.js';

let server: TestServer;
let organization: TestOrganization;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
});
afterAll(() => server.close());

/** The request's `http.request` events. */
async function requestEvents(answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  expect(requestId).toMatch(/^req_/);
  return eventsOf(server, { requestId, action: 'http.request' });
}

/** Changes rows behind the server's back, the way another instance would: with the epoch raised. */
async function elsewhere(sql: string, organizationId = organization.id): Promise<void> {
  await server.database.system(async (tx) => {
    await tx.$executeRawUnsafe(sql);
    await tx.$executeRawUnsafe(
      `UPDATE audit_heads SET auth_epoch = auth_epoch + 1 WHERE chain = '${organizationId}'`,
    );
  });
}

/** Sends bytes as they are and answers the whole response as text; whoever hung up first would get none. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

describe('every response under /v1 has exactly one http.request event', () => {
  it.each([
    ['200', 'GET', '/v1/me', undefined, 200],
    ['401', 'GET', '/v1/me?as=nobody', undefined, 401],
    ['403', 'GET', '/v1/organizations/{organization}/audit-events', undefined, 403],
    ['404 of an unknown route', 'GET', '/v1/nothing', undefined, 404],
    ['404 of another organization', 'GET', '/v1/organizations/org_x/keys', undefined, 404],
    ['405', 'PUT', '/v1/me', undefined, 405],
    ['400 of malformed JSON', 'POST', '/v1/sessions', '{"email":', 400],
    ['413', 'POST', '/v1/sessions', `{"email":"${'x'.repeat(70_000)}"}`, 413],
    ['400 of a NUL in the path', 'GET', '/v1/organizations/%00/keys', undefined, 400],
    [
      '400 of a path that cannot be decoded',
      'GET',
      '/v1/organizations/%E0%A4%A/keys',
      undefined,
      400,
    ],
  ])('%s', async (_, method, path, body, status) => {
    const account = await aServiceAccount(server, organization);
    const client = path.includes('as=nobody') ? server.client : account.client;
    const answer = await client.request(
      method,
      path.replace('{organization}', organization.id),
      body,
    );
    expect(answer.status).toBe(status);
    const events = await requestEvents(answer);
    expect(events).toHaveLength(1);
    expect(events[0]!.event).toMatchObject({ method, status });
  });

  it('415 for a form', async () => {
    const answer = await server.client.request('POST', '/v1/sessions', 'email=a', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(answer.status).toBe(415);
    expect(await requestEvents(answer)).toHaveLength(1);
  });

  it('names the caller where no guard ran', async () => {
    const account = await aServiceAccount(server, organization);
    const [event] = await requestEvents(await account.client.get('/v1/nothing'));
    expect(event).toMatchObject({ chain: organization.id, actorId: account.id });
    expect(event!.event).toMatchObject({
      route: null,
      path: '/v1/nothing',
      reason: 'route_not_found',
    });
  });

  it('has none for what is not under /v1', async () => {
    const answer = await server.client.get('/health/live');
    expect(answer.status).toBe(200);
    expect(await requestEvents(answer)).toHaveLength(0);
  });

  it('leaves the query out, and tokens pasted into a path', async () => {
    const account = await aServiceAccount(server, organization);
    const answer = await account.client.get(`/v1/${account.token}?access_token=${account.token}`);
    const [event] = await requestEvents(answer);
    expect(event!.body).not.toContain(account.token);
    expect(event!.event.path).not.toContain('?');
    expect(JSON.stringify(answer.body)).not.toContain(account.token);
  });
});

describe('the trail', () => {
  it('names account and key of the time of the request', async () => {
    const account = await aServiceAccount(server, organization, { name: 'Old name' });
    const before = await account.client.get('/v1/me');
    await elsewhere(`UPDATE service_accounts SET name = 'New name' WHERE id = '${account.id}'`);
    const after = await account.client.get('/v1/me');
    const [[first], [second]] = [await requestEvents(before), await requestEvents(after)];
    expect(first!.event.actor).toEqual({
      type: 'serviceAccount',
      id: account.id,
      name: 'Old name',
    });
    expect(first!.event.key).toEqual({ id: account.keyId, name: 'Default' });
    expect(second!.event.actor.name).toBe('New name');
  });

  it('puts a user on the chain of their organization, and on `system` elsewhere', async () => {
    const person = await aPerson(server, organization, { role: 'viewer' });
    const inside = await person.client.get(organization.path);
    const outside = await person.client.get('/v1/organizations/org_x');
    expect((await requestEvents(inside))[0]!.chain).toBe(organization.id);
    expect((await requestEvents(outside))[0]!.chain).toBe('system');
  });

  it('keeps public routes on `system`, whatever credential comes along and however early they fail', async () => {
    const account = await aServiceAccount(server, organization);
    const refused = await account.client.post('/v1/sessions', { email: 'a@b.cd', password: 'x' });
    const malformed = await account.client.request('POST', '/v1/sessions', '{');
    expect([refused.status, malformed.status]).toEqual([401, 400]);
    for (const answer of [refused, malformed]) {
      expect((await requestEvents(answer))[0]).toMatchObject({ chain: 'system', actorId: null });
    }
  });

  it('records a wrong secret on the chain of the key, without naming an actor', async () => {
    const account = await aServiceAccount(server, organization);
    const other = await aServiceAccount(server, organization);
    // The checksum is right: the id of one token before the secret of another is what a thief may try.
    const { createToken } = await import('../src/crypto/token.js');
    const forged = createToken(server.instance.tokenPrefix, 'key', account.keyId);
    const answer = await server.client.withToken(forged).get('/v1/me');
    expect(answer.status).toBe(401);
    const [event] = await requestEvents(answer);
    expect(event).toMatchObject({ chain: organization.id, actorId: null, targetId: account.id });
    expect(event!.event).toMatchObject({ actor: { type: 'unverified' }, reason: 'wrong_secret' });
    expect((await other.client.get('/v1/me')).status).toBe(200);
  });

  it.each([
    ['revoked', `UPDATE keys SET revoked_at = now() WHERE id = '{key}'`],
    ['expired', `UPDATE keys SET expires_at = now() - interval '1 second' WHERE id = '{key}'`],
    ['account_disabled', `UPDATE service_accounts SET status = 'disabled' WHERE id = '{account}'`],
    ['account_deleted', `UPDATE service_accounts SET deleted_at = now() WHERE id = '{account}'`],
  ])('says %s, with the name of the account', async (reason, sql) => {
    const account = await aServiceAccount(server, organization);
    await elsewhere(sql.replace('{key}', account.keyId).replace('{account}', account.id));
    const answer = await account.client.get('/v1/me');
    expect(answer.status).toBe(401);
    const [event] = await requestEvents(answer);
    expect(event!.event).toMatchObject({
      outcome: 'denied',
      reason,
      actor: { type: 'serviceAccount', name: account.name },
    });
  });
});

describe('an answer that rests on the cache', () => {
  it('is refused when the key was revoked after it was cached', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    await elsewhere(`UPDATE keys SET revoked_at = now() WHERE id = '${account.keyId}'`);
    const answer = await account.client.get('/v1/me');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(answer.body.code).toBe('invalid_token');
    expect(await requestEvents(answer)).toHaveLength(1);
  });

  it('becomes 403 when the role lost the permission', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const path = `${organization.path}/audit-events?limit=1`;
    expect((await account.client.get(path)).status).toBe(200);
    await elsewhere(`UPDATE service_accounts SET role_key = 'viewer' WHERE id = '${account.id}'`);
    const answer = await account.client.get(path);
    expect(answer.status).toBe(403);
    expect(answer.body.required).toBe('audit:read');
    expect(answer.body.data).toBeUndefined();
  });

  it('is computed again when it shows the credential itself', async () => {
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    await elsewhere(`UPDATE service_accounts SET role_key = 'auditor' WHERE id = '${account.id}'`);
    const answer = await account.client.get('/v1/me');
    expect(answer.body.role.key).toBe('auditor');
  });

  it('refuses nobody whose role has just been widened', async () => {
    const account = await aServiceAccount(server, organization);
    const path = `${organization.path}/audit-events?limit=1`;
    expect((await account.client.get(path)).status).toBe(403);
    await elsewhere(`UPDATE service_accounts SET role_key = 'auditor' WHERE id = '${account.id}'`);
    expect((await account.client.get(path)).status).toBe(200);
  });

  it('ends with the key, by the database’s clock, though no epoch moved', async () => {
    const account = await aServiceAccount(server, organization);
    const expiresAt = new Date(Date.now() + 500);
    const key = await aKey(server, organization, account, { expiresAt });
    const answers: Answer[] = [];
    do answers.push(await key.client.get('/v1/me'));
    while (answers.at(-1)!.status === 200 && answers.length < 5_000);
    expect(answers[0]!.status).toBe(200);
    expect(answers.at(-1)!.status).toBe(401);
    const events = (
      await eventsOf(server, { chain: organization.id, action: 'http.request' })
    ).filter((event) => event.keyId === key.id && event.outcome === 'success');
    expect(events.at(-1)!.occurredAt.getTime()).toBeLessThan(expiresAt.getTime());
  });
});

describe('strange input', () => {
  it('harms only its own request', async () => {
    const account = await aServiceAccount(server, organization);
    const gone = await anOrganization(server);
    const stranded = await aServiceAccount(server, gone);
    await elsewhere(`UPDATE organizations SET deleted_at = now() WHERE id = '${gone.id}'`, gone.id);
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => account.client.get('/v1/me')),
      account.client.get('/v1/%00'),
      account.client.get('/v1/me', { 'user-agent': 'x'.repeat(10_000) }),
      stranded.client.get('/v1/me'),
      ...Array.from({ length: 20 }, () => account.client.get('/v1/me')),
    ]);
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.slice(0, 20).concat(statuses.slice(23))).toEqual(Array(40).fill(200));
    expect(statuses.slice(20, 23)).toEqual([400, 200, 401]);
    for (const answer of answers) expect(await requestEvents(answer)).toHaveLength(1);
  });

  it('is cut and made well-formed before it is stored', async () => {
    const account = await aServiceAccount(server, organization);
    const answer = await account.client.get(`/v1/${'y'.repeat(5_000)}`, {
      'user-agent': 'z'.repeat(5_000),
    });
    const [event] = await requestEvents(answer);
    expect(event!.event.path).toHaveLength(512);
    expect(event!.event.userAgent).toHaveLength(256);
  });

  it('reaches the trail for absolute-form and encoded paths too', async () => {
    const count = () => eventsOf(server, { chain: 'system', action: 'http.request' });
    const before = (await count()).length;
    for (const target of ['http://example.com/v1/nothing', '/%76%31/nothing']) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    }
    expect((await count()).length).toBe(before + 2);
  });
});

describe('when the trail cannot be written', () => {
  const rename = (from: string, to: string) =>
    server.database.system((tx) => tx.$executeRawUnsafe(`ALTER FUNCTION ${from} RENAME TO ${to}`));

  it('nothing leaves but 503 audit_unavailable, and the next request works again', async () => {
    const account = await aServiceAccount(server, organization);
    await rename('audit_append', 'audit_append_away');
    try {
      const answer = await account.client.get('/v1/me');
      expect(answer.status).toBe(503);
      expect(answer.body.code).toBe('audit_unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(JSON.stringify(answer.body)).not.toContain(account.name);
    } finally {
      await rename('audit_append_away', 'audit_append');
    }
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });
});

/** The embedded database has no connections that could be cut, and behind a PgBouncer nobody knows which is whose. */
const onPostgresIt = onPostgres && process.env.TEST_POOLER_URL === undefined ? it : it.skip;

describe('when the gate’s idle connection has been cut', () => {
  onPostgresIt('the next request does not notice', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    const [{ count } = { count: 0n }] = await server.database.system(
      (tx) => tx.$queryRaw<{ count: bigint }[]>`
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%audit_append%' AND pid <> pg_backend_pid()`,
    );
    expect(count).toBeGreaterThan(0n);
    // Any other statement: by its answer the news of the cut has arrived, too.
    await server.database.ping();
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });
});
