import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { onPostgres } from './database.js';
import { eventually } from './eventually.js';
import { aKey, anOrganization, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestPerson, TestServiceAccount } from './factories.js';
import { type Answer, Client, eventsOf, startServer, startSibling } from './harness.js';
import type { TestServer } from './harness.js';
import { withAccessToken } from './oauth.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let account: TestServiceAccount;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { instanceAdministrator: true });
  account = await aServiceAccount(server, organization, { role: 'owner' });
  const settings = { maxKeysPerServiceAccount: 100 };
  await owner.client.patch(organization.path, { settings });
});
afterAll(() => server.close());

const keysOf = ({ path }: { path: string }) => `${path}/keys`;

function post(client: Client, path: string, body: unknown, key: string): Promise<Answer> {
  return client.post(path, body, { 'idempotency-key': key });
}

/** What a client sees of an answer, byte for byte, but for what every answer has of its own. */
async function bytesOf(client: Client, path: string, body: unknown, key: string) {
  const response = await fetch(client.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${client.token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  });
  const { location, etag, 'content-type': type } = Object.fromEntries(response.headers);
  const text = await response.text();
  return {
    requestId: response.headers.get('x-request-id') ?? '',
    replayed: response.headers.get('idempotency-replayed'),
    shown: { status: response.status, location, etag, type, text },
  };
}

async function changesOf(requestId: string): Promise<string[]> {
  const events = await eventsOf(server, { requestId });
  return events.map(({ action }) => action).sort();
}

function recordsOf(credentialId: string) {
  return server.database.system(
    (tx) =>
      tx.$queryRaw<{ seconds: number; answer: Uint8Array }[]>`
        SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds, answer
        FROM idempotency_records WHERE credential_id = ${credentialId}`,
  );
}

describe('the same request with the same Idempotency-Key', () => {
  it.each<[string, () => [path: string, body: object], string[]]>([
    ['organizations', () => ['/v1/organizations', { name: 'Twice' }], ['organization.created']],
    [
      'users',
      () => [
        `${organization.path}/users`,
        {
          email: 'once@example.com',
          name: 'Once',
          role: 'viewer',
          attributes: { 10: 'x', 9: [1] },
        },
      ],
      ['user.created'],
    ],
    [
      'service accounts',
      () => [`${organization.path}/service-accounts`, { name: 'Once', role: 'viewer' }],
      ['key.created', 'service_account.created'],
    ],
    [
      'invited users',
      () => [
        `${organization.path}/users`,
        { email: 'invited@example.com', name: 'Invited', role: 'viewer', invite: true },
      ],
      ['user.invited'],
    ],
    [
      'invitations',
      () => [
        `${organization.path}/invitations`,
        { email: 'guest@example.com', name: 'Guest', role: 'viewer' },
      ],
      ['user.invited'],
    ],
    ['keys', () => [keysOf(account), { name: 'Once' }], ['key.created']],
    [
      'roles',
      () => [
        `${organization.path}/roles`,
        { key: 'once', name: 'Once', permissions: ['users:read'] },
      ],
      ['role.created'],
    ],
  ])('creates %s once and answers the same bytes', async (_what, request, actions) => {
    const [path, body] = request();
    const key = randomUUID();
    const first = await bytesOf(owner.client, path, body, key);
    const second = await bytesOf(owner.client, path, body, key);
    expect(first.shown.status).toBe(201);
    expect(first.shown.location).toMatch(/^\/v1\/organizations\//);
    expect(first.shown.etag).toMatch(/^"1-/);
    expect(second.shown).toEqual(first.shown);
    expect([first.replayed, second.replayed]).toEqual([null, 'true']);
    expect(second.requestId).not.toBe(first.requestId);
    expect(await changesOf(first.requestId)).toEqual([...actions, 'http.request'].sort());
    expect(await changesOf(second.requestId)).toEqual(['http.request']);
  });

  it('gives the same token back when the first answer was lost, and there is one key', async () => {
    const own = await aServiceAccount(server, organization);
    const body = JSON.stringify({ name: 'Lost' });
    const hangUp = await sendUnread(
      `POST ${keysOf(own)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${owner.token}\r\n` +
        `Content-Type: application/json\r\nIdempotency-Key: lost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const [created] = await eventually(async () => {
      const events = await eventsOf(server, { chain: organization.id, action: 'key.created' });
      const mine = events.filter(({ event }) => event.targets[1].id === own.id);
      return mine.length > 0 ? mine : undefined;
    });
    hangUp();
    const retry = await post(owner.client, keysOf(own), { name: 'Lost' }, 'lost');
    expect(retry.status).toBe(201);
    expect(retry.headers.get('idempotency-replayed')).toBe('true');
    expect(retry.body.id).toBe(created!.targetId);
    const me = await owner.client.withToken(retry.body.token).get('/v1/me');
    expect(me.body).toMatchObject({ kind: 'serviceAccount', id: own.id });
    const { body: keys } = await owner.client.get(keysOf(own));
    expect(keys.data.filter(({ name }: { name: string }) => name === 'Lost')).toHaveLength(1);
  });

  it('does not care how the members of the body are ordered', async () => {
    const path = `${organization.path}/roles`;
    const key = randomUUID();
    await post(owner.client, path, '{"key":"order","name":"O","permissions":[]}', key);
    const again = await post(
      owner.client,
      path,
      '{"permissions":[],"name":"O","key":"order"}',
      key,
    );
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('gets the answer of that time, whatever became of the resource', async () => {
    const first = await post(owner.client, keysOf(account), { name: 'Then' }, 'then');
    await owner.client.patch(`${keysOf(account)}/${first.body.id}`, { name: 'Now' });
    await owner.client.delete(`${keysOf(account)}/${first.body.id}`);
    const again = await post(owner.client, keysOf(account), { name: 'Then' }, 'then');
    expect(again.body).toEqual(first.body);
    expect((await owner.client.withToken(again.body.token).get('/v1/me')).status).toBe(401);
  });

  it('passes the guards again: without the permission it is refused', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'owner' });
    const first = await post(admin.client, keysOf(account), { name: 'Guarded' }, 'guarded');
    expect(first.status).toBe(201);
    await owner.client.patch(admin.path, { role: 'viewer' });
    const demoted = await post(admin.client, keysOf(account), { name: 'Guarded' }, 'guarded');
    expect(demoted.body).toMatchObject({ status: 403, required: 'keys:manage' });
    expect(JSON.stringify(demoted.body)).not.toContain(first.body.token);
    await owner.client.delete(`${admin.path}/keys/${admin.keyId}`);
    const revoked = await post(admin.client, keysOf(account), { name: 'Guarded' }, 'guarded');
    expect(revoked.status).toBe(401);
    expect(revoked.headers.get('idempotency-replayed')).toBeNull();
  });

  it('shows no token to a caller that could not be given it any more', async () => {
    const strong = await aServiceAccount(server, organization, { role: 'owner' });
    const caller = await aServiceAccount(server, organization, { role: 'owner' });
    const role = { key: 'shrunk', name: 'Shrunk', permissions: [] };
    const roles = `${organization.path}/roles`;
    const first = await post(caller.client, keysOf(strong), { name: 'Strong' }, 'strong');
    expect((await post(caller.client, roles, role, 'no-token')).status).toBe(201);
    const retry = () => post(caller.client, keysOf(strong), { name: 'Strong' }, 'strong');
    expect((await retry()).body.token).toBe(first.body.token);
    // An admin may make keys, but none of an owner's.
    await owner.client.patch(caller.path, { role: 'admin' });
    const refused = await retry();
    expect(refused.body).toMatchObject({ status: 403, code: 'grant_exceeds_permissions' });
    expect(JSON.stringify(refused.body)).not.toContain(first.body.token);
    expect(refused.headers.get('idempotency-replayed')).toBeNull();
    // Without a token in the answer the guards are enough.
    const shown = await post(caller.client, roles, role, 'no-token');
    expect(shown.headers.get('idempotency-replayed')).toBe('true');
    await owner.client.patch(caller.path, { role: 'owner' });
    expect((await retry()).body.token).toBe(first.body.token);
  });

  it('is done once when it comes 20 times at once', async () => {
    const path = `${organization.path}/service-accounts`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        post(owner.client, path, { name: 'Stampede', role: 'viewer' }, 'stampede'),
      ),
    );
    const made = answers.filter(({ status }) => status === 201);
    const inFlight = answers.filter(({ status }) => status !== 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ body }) => body.key.token)).size).toBe(1);
    const originals = made.filter(({ headers }) => headers.get('idempotency-replayed') === null);
    expect(originals).toHaveLength(1);
    for (const { body, headers } of inFlight) {
      expect(body).toMatchObject({ status: 409, code: 'idempotency_in_flight' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    // On PGlite transactions queue: nobody is ever in flight.
    if (!onPostgres) expect(inFlight).toHaveLength(0);
    const { body } = await owner.client.get(`${path}?search=Stampede`);
    expect(body.data).toHaveLength(1);
    expect(body.data[0].keyCount).toBe(1);
    const events = await eventsOf(server, {
      chain: organization.id,
      action: 'service_account.created',
    });
    expect(events.filter(({ event }) => event.targets[0].name === 'Stampede')).toHaveLength(1);
  });

  (onPostgres ? it : it.skip)('is told when the first is still being worked on', async () => {
    const own = await aServiceAccount(server, organization);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let locked: () => void = () => undefined;
    const isLocked = new Promise<void>((resolve) => (locked = resolve));
    const holding = server.database.system(async (tx) => {
      await tx.$queryRaw`SELECT id FROM service_accounts WHERE id = ${own.id} FOR UPDATE`;
      locked();
      await released;
    });
    await isLocked;
    const first = post(owner.client, keysOf(own), { name: 'Slow' }, 'slow');
    await eventually(() =>
      server.database.system(async (tx) => {
        const [row] = await tx.$queryRaw<{ waits: boolean }[]>`
          SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waits`;
        return row?.waits ? true : undefined;
      }),
    );
    const second = await post(owner.client, keysOf(own), { name: 'Slow' }, 'slow');
    expect(second.body).toMatchObject({ status: 409, code: 'idempotency_in_flight' });
    expect(second.headers.get('retry-after')).toBe('1');
    release();
    await holding;
    expect((await first).status).toBe(201);
    const third = await post(owner.client, keysOf(own), { name: 'Slow' }, 'slow');
    expect(third.body).toEqual((await first).body);
  });
});

(onPostgres ? describe : describe.skip)('two servers on one database', () => {
  it('do a request once, whichever gets the retry', async () => {
    const sibling = await startSibling(server);
    try {
      const clients = [owner.client, new Client(sibling.url, owner.token)];
      const ask = (client: Client) => post(client, keysOf(account), { name: 'Two' }, 'two');
      const first = await ask(clients[0]!);
      const second = await ask(clients[1]!);
      expect(second.body).toEqual(first.body);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      const path = `${organization.path}/service-accounts`;
      const body = { name: 'Raced', role: 'viewer' };
      const raced = await Promise.all(
        Array.from({ length: 10 }, (_, index) => post(clients[index % 2]!, path, body, 'raced')),
      );
      const made = raced.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body: { key } }) => key.token)).size).toBe(1);
      for (const answer of raced.filter(({ status }) => status !== 201)) {
        expect(answer.body).toMatchObject({ status: 409, code: 'idempotency_in_flight' });
      }
      expect((await owner.client.get(`${path}?search=Raced`)).body.data).toHaveLength(1);
    } finally {
      await sibling.app.close();
    }
  });
});

describe('the same Idempotency-Key for another request', () => {
  it('is refused with 422 when body or path differ, and nothing is done', async () => {
    const other = await aServiceAccount(server, organization);
    await post(owner.client, keysOf(account), { name: 'Mine' }, 'reused');
    for (const [path, body] of [
      [keysOf(account), { name: 'Other' }],
      [keysOf(other), { name: 'Mine' }],
      [`${organization.path}/service-accounts`, { name: 'Mine', role: 'viewer' }],
    ] as const) {
      const answer = await post(owner.client, path, body, 'reused');
      expect(answer.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
      const id = answer.headers.get('x-request-id') ?? '';
      expect(await changesOf(id)).toEqual(['http.request']);
    }
  });

  it('is each access token’s own, of one key too', async () => {
    const maker = await aServiceAccount(server, organization, { role: 'owner' });
    const [one, other] = [
      await withAccessToken(server.client, maker),
      await withAccessToken(server.client, maker),
    ];
    const make = (client: Client) => post(client, keysOf(account), { name: 'By token' }, 'jwt');
    const [first, again, third] = [await make(one), await make(one), await make(other)];
    expect([first.status, again.status, third.status]).toEqual([201, 201, 201]);
    expect(again.body).toEqual(first.body);
    expect(third.body.id).not.toBe(first.body.id);
  });

  it('means nothing to another credential, another key of the same account among them', async () => {
    const sibling = await aKey(server, organization, account);
    const body = { name: 'Shared' };
    const callers = [owner.client, account.client, sibling.client];
    const answers = [];
    for (const client of callers) answers.push(await post(client, keysOf(account), body, 'shared'));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map((answer) => answer.body.token)).size).toBe(3);
    for (const [index, client] of callers.entries()) {
      const again = await post(client, keysOf(account), body, 'shared');
      expect(again.body.token).toBe(answers[index]!.body.token);
    }
  });

  it('means nothing in another organization of the same person', async () => {
    const { body } = await owner.client.post('/v1/organizations', { name: 'Second' });
    const role = { key: 'same', name: 'Same', permissions: [] };
    for (const path of [organization.path, `/v1/organizations/${body.id}`]) {
      const answer = await post(owner.client, `${path}/roles`, role, 'two-organizations');
      expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null]);
    }
  });
});

describe('a request that failed', () => {
  it('leaves nothing behind: the key is free for the next try', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'owner' });
    const path = `${organization.path}/roles`;
    const body = { key: 'taken', name: 'Taken', permissions: [] };
    await owner.client.post(path, body);
    expect((await post(admin.client, path, { ...body, permissions: ['x'] }, 'fail')).status).toBe(
      400,
    );
    expect((await post(admin.client, path, body, 'fail')).body.code).toBe('name_taken');
    expect(await recordsOf(admin.keyId)).toEqual([]);
    await owner.client.delete(`${path}/taken`);
    const answer = await post(admin.client, path, body, 'fail');
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });
});

/** Sends a request whose answer nobody reads; answers what cuts the connection. */
function sendUnread(text: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write(text, () => resolve(() => socket.destroy())),
    );
    socket.on('error', reject);
  });
}
