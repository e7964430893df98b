import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestPerson, TestServiceAccount } from './factories.js';
import { type Answer, Client, startServer } from './harness.js';
import type { TestServer } from './harness.js';

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

function recordsOf(credentialId: string) {
  return server.database.system(
    (tx) =>
      tx.$queryRaw<{ seconds: number; answer: Uint8Array }[]>`
        SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds, answer
        FROM idempotency_records WHERE credential_id = ${credentialId}`,
  );
}

async function expire(credentialId: string): Promise<void> {
  await server.database.system(
    (tx) => tx.$executeRaw`
      UPDATE idempotency_records SET expires_at = clock_timestamp() WHERE credential_id = ${credentialId}`,
  );
}

describe('what is kept', () => {
  it('is kept 10 minutes where the answer shows a token, else 24 hours', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'owner' });
    const { path } = organization;
    const guest = { name: 'Short', role: 'viewer' };
    for (const [where, body] of [
      [keysOf(account), { name: 'Short' }],
      [`${path}/service-accounts`, { name: 'Short', role: 'viewer' }],
      [`${path}/invitations`, { ...guest, email: 'short@example.com' }],
      [`${path}/users`, { ...guest, email: 'shorter@example.com', invite: true }],
    ] as const) {
      expect((await post(admin.client, where, body, where)).status).toBe(201);
    }
    const short = await recordsOf(admin.keyId);
    expect(short).toHaveLength(4);
    for (const { seconds } of short) {
      expect(seconds).toBeGreaterThan(570);
      expect(seconds).toBeLessThanOrEqual(600);
    }
    const role = { key: 'long', name: 'Long', permissions: [] };
    await post(admin.client, `${path}/roles`, role, 'long');
    const long = (await recordsOf(admin.keyId)).map(({ seconds }) => seconds).sort((a, b) => b - a);
    expect(long[0]).toBeGreaterThan(86_370);
    expect(long[0]).toBeLessThanOrEqual(86_400);
  });

  it('is over after that: the same request creates anew', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'owner' });
    const first = await post(admin.client, keysOf(account), { name: 'Old' }, 'old');
    await expire(admin.keyId);
    const second = await post(admin.client, keysOf(account), { name: 'Old' }, 'old');
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(second.body.id).not.toBe(first.body.id);
    const third = await post(admin.client, keysOf(account), { name: 'Old' }, 'old');
    expect(third.body).toEqual(second.body);
    expect(await recordsOf(admin.keyId)).toHaveLength(1);
  });

  it('is seen by no other tenant', async () => {
    const elsewhere = await anOrganization(server);
    await post(owner.client, keysOf(account), { name: 'Hidden' }, 'hidden');
    const counts = [organization, elsewhere].map(({ id }) =>
      server.database.tenant(id, (tx) => tx.idempotencyRecord.count()),
    );
    const [own, others] = await Promise.all(counts);
    expect(own).toBeGreaterThan(0);
    expect(others).toBe(0);
  });

  it('is sealed: neither token nor idempotency key can be read in the row', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'owner' });
    const { body } = await post(
      admin.client,
      keysOf(account),
      { name: 'Sealed' },
      'a-readable-key',
    );
    const [row] = await server.database.system(
      (tx) => tx.$queryRaw<{ text: string }[]>`
        SELECT encode(r.answer, 'escape') || r::text AS text FROM idempotency_records r
        WHERE credential_id = ${admin.keyId}`,
    );
    expect(row!.text).toContain(admin.keyId);
    for (const secret of [body.token, body.id, 'Sealed', 'a-readable-key', admin.token]) {
      expect(row!.text).not.toContain(secret);
      expect(row!.text).not.toContain(Buffer.from(secret).toString('hex'));
    }
  });
});

describe('the header Idempotency-Key', () => {
  it.each(['', 'x'.repeat(256), 'naïve', 'a\tb'])('is refused as %j', async (key) => {
    const before = await recordsOf(owner.sessionId);
    const answer = await post(owner.client, keysOf(account), { name: 'No' }, key);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_idempotency_key' });
    expect(await recordsOf(owner.sessionId)).toHaveLength(before.length);
  });

  it('is refused twice in one request', async () => {
    const body = JSON.stringify({ name: 'Two' });
    const answer = await exchange(
      `POST ${keysOf(account)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${owner.token}\r\n` +
        `Content-Type: application/json\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('invalid_idempotency_key');
  });

  it.each(['x', 'x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a b, c'])(
    'may be %j',
    async (key) => {
      const role = { key: `k${randomUUID().slice(0, 8)}`, name: 'Any', permissions: [] };
      const path = `${organization.path}/roles`;
      expect((await post(owner.client, path, role, key)).status).toBe(201);
      const again = await post(owner.client, path, role, key);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    },
  );

  it('means nothing where nothing is created', async () => {
    const before = await recordsOf(owner.sessionId);
    const headers = { 'idempotency-key': 'elsewhere' };
    const body = { description: 'Changed' };
    expect((await owner.client.patch(account.path, body, headers)).status).toBe(200);
    expect((await owner.client.get(account.path, headers)).status).toBe(200);
    expect(await recordsOf(owner.sessionId)).toHaveLength(before.length);
  });

  it('is documented on every operation that understands it, with 409 and 422', async () => {
    const { body } = await server.client.get('/openapi.json');
    const operations = Object.values<any>(body.paths).flatMap((item) => Object.values<any>(item));
    const understanding = operations.filter(({ parameters = [] }) =>
      parameters.some(({ name }: { name: string }) => name === 'Idempotency-Key'),
    );
    const ids = understanding.map(({ operationId }) => operationId);
    expect(ids).toEqual(
      expect.arrayContaining([
        'organizations_create',
        'users_create',
        'serviceAccounts_create',
        'keys_create',
        'roles_create',
      ]),
    );
    for (const { responses } of understanding) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['201', '409', '422']));
      expect(responses['201'].headers).toHaveProperty(['Idempotency-Replayed']);
    }
  });
});

/** Sends bytes on a connection of its own and gives all that comes back. */
function exchange(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
