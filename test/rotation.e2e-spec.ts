import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { newId } from '../src/crypto/id.js';
import { onPostgres } from './database.js';
import {
  type Answer,
  type Client,
  startServer,
  startSibling,
  changesOf,
  errorsOf,
} from './harness.js';
import type { TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { setKey, setLimits } from './lifetimes.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let admin: TestPerson;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
});
afterAll(() => server.close());

const DAY = 86_400;
const PAST = new Date('2020-01-01T00:00:00Z');
const fromNow = (seconds: number) => new Date(Date.now() + seconds * 1000);
const codeOf = ({ status, body }: Answer) => [status, body?.code];

const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;
const keyPath = ({ path, keyId }: { path: string; keyId: string }) => `${path}/keys/${keyId}`;
const statusWith = async (client: Client) => (await client.get('/v1/me')).status;

/** Brings the end of an overlap, as if the time had passed. */
const endOverlap = (id: string) => setKey(server, id, { expiresAt: PAST });

describe('POST …/keys/{keyId}/rotate', () => {
  it('201: makes a successor with a token of its own; both are linked', async () => {
    const account = await aServiceAccount(server, organization);
    const path = keyPath(account);
    const answer = await owner.client.post(`${path}/rotate`, {});
    expect(answer.status).toBe(201);
    const { token, overlapEndsAt, ...key } = answer.body;
    expect(key).toMatchObject({
      serviceAccountId: account.id,
      name: 'Default',
      obfuscatedToken: `clv_…${token.slice(-4)}`,
      permissions: null,
      allowedCidrs: [],
      expiresAt: null,
      status: 'active',
      rotatedFromId: account.keyId,
      replacedById: null,
      createdBy: { type: 'user', id: owner.id, name: owner.name },
    });
    const location = `${account.path}/keys/${key.id}`;
    expect(answer.headers.get('location')).toBe(location);
    const shown = await owner.client.get(location);
    expect(shown.body).toEqual(key);
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'));
    const old = (await owner.client.get(path)).body;
    expect(old).toMatchObject({
      status: 'expiring',
      replacedById: key.id,
      rotatedFromId: null,
      expiresAt: overlapEndsAt,
    });
    expect(secondsBetween(key.createdAt, overlapEndsAt)).toBe(DAY);
    expect(await statusWith(account.client)).toBe(200);
    const me = await server.client.withToken(token).get('/v1/me');
    expect(me.body).toMatchObject({ id: account.id, key: { id: key.id } });
  });

  it('201: without a body: all as it was', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const { status, body } = await owner.client.post(`${keyPath(account)}/rotate`);
    expect([status, body.name]).toEqual([201, 'Default']);
    const own = await server.client.withToken(body.token).post('/v1/me/key/rotate');
    expect([own.status, own.body.name]).toEqual([201, 'Default']);
  });

  it('201: takes over permissions and networks; name and expiry can be given', async () => {
    const account = await aServiceAccount(server, organization);
    const limits = { permissions: ['keys:read'], allowedCidrs: ['127.0.0.0/8'] };
    const old = await aKey(server, organization, account, { name: 'Production', ...limits });
    const first = await owner.client.post(`${old.path}/rotate`, {});
    expect(first.body).toMatchObject({ name: 'Production', ...limits });
    const expiresAt = fromNow(5 * DAY).toISOString();
    const input = { name: 'Production 2028', expiresAt };
    const second = await owner.client.post(`${account.path}/keys/${first.body.id}/rotate`, input);
    expect(second.body).toMatchObject({ ...input, ...limits, rotatedFromId: first.body.id });
  });

  it('201: gives the lifetime that the old key has, as its expiry stands now', async () => {
    const account = await aServiceAccount(server, organization);
    const old = await aKey(server, organization, account);
    await setKey(server, old.id, { createdAt: fromNow(-80 * DAY), expiresAt: fromNow(10 * DAY) });
    const { body } = await owner.client.post(`${old.path}/rotate`, {});
    const lifetime = secondsBetween(body.createdAt, body.expiresAt);
    expect(Math.abs(lifetime - 90 * DAY)).toBeLessThan(60);
    const next = `${account.path}/keys/${body.id}`;
    const shorter = { expiresAt: fromNow(30 * DAY).toISOString() };
    expect((await owner.client.patch(next, shorter)).status).toBe(200);
    const last = (await owner.client.post(`${next}/rotate`, {})).body;
    expect(secondsBetween(last.createdAt, last.expiresAt) - 30 * DAY).toBeLessThan(60);
  });

  it('201: leaves a successor that its predecessor’s revocation does not end', async () => {
    const account = await aServiceAccount(server, organization);
    const { body } = await owner.client.post(`${keyPath(account)}/rotate`, {});
    expect((await owner.client.delete(keyPath(account))).status).toBe(204);
    expect((await server.client.withToken(body.token).get('/v1/me')).status).toBe(200);
    expect((await account.client.get('/v1/me')).status).toBe(401);
  });

  it('201: never more than the organization allows now, a key without expiry included', async () => {
    const other = await anOrganization(server);
    const boss = await aPerson(server, other);
    const account = await aServiceAccount(server, other);
    const dated = await aKey(server, other, account);
    await setKey(server, dated.id, { createdAt: fromNow(-80 * DAY), expiresAt: fromNow(10 * DAY) });
    await setLimits(server, other.id, { maxKeyLifetimeSeconds: 30 * DAY });
    for (const path of [dated.path, keyPath(account)]) {
      const { status, body } = await boss.client.post(`${path}/rotate`, {});
      expect(status).toBe(201);
      expect(secondsBetween(body.createdAt, body.expiresAt)).toBe(30 * DAY);
    }
    const last = await aKey(server, other, account);
    const tooLong = { expiresAt: fromNow(31 * DAY).toISOString() };
    expect(errorsOf(await boss.client.post(`${last.path}/rotate`, tooLong))).toEqual([
      400,
      [['/expiresAt', 'too_far']],
    ]);
  });

  it('201: the overlap never outlives the old key’s own expiry', async () => {
    const account = await aServiceAccount(server, organization);
    const expiresAt = fromNow(3_600);
    const old = await aKey(server, organization, account, { expiresAt });
    const { body } = await owner.client.post(`${old.path}/rotate`, { overlapSeconds: 7 * DAY });
    expect(body.overlapEndsAt).toBe(expiresAt.toISOString());
    expect((await owner.client.get(old.path)).body.expiresAt).toBe(expiresAt.toISOString());
  });

  it('201: with overlapSeconds 0 the old key has ended when the answer is there', async () => {
    const account = await aServiceAccount(server, organization);
    expect(await statusWith(account.client)).toBe(200);
    const path = keyPath(account);
    const { status, body } = await owner.client.post(`${path}/rotate`, { overlapSeconds: 0 });
    expect(status).toBe(201);
    expect(await statusWith(account.client)).toBe(401);
    expect(await statusWith(server.client.withToken(body.token))).toBe(200);
    expect((await owner.client.get(path)).body).toMatchObject({
      status: 'expired',
      revokedAt: null,
      replacedById: body.id,
    });
  });

  it('201: both work until the old one’s end, then only the new: never a moment with none', async () => {
    const account = await aServiceAccount(server, organization);
    const clients = [account.client];
    const seen: number[][] = [];
    let isRunning = true;
    const loop = (async () => {
      while (isRunning) seen.push(await Promise.all(clients.map(statusWith)));
    })();
    const { body } = await owner.client.post(`${keyPath(account)}/rotate`, {});
    clients.push(server.client.withToken(body.token));
    for (let round = 0; round < 20; round += 1)
      seen.push(await Promise.all(clients.map(statusWith)));
    isRunning = false;
    await loop;
    expect(seen.flat().filter((status) => status !== 200)).toEqual([]);
    expect(seen.some((statuses) => statuses.length === 2)).toBe(true);
    // Its end is moved to the past beside the API, so nothing tells the cache: the expiry in it does not help either.
    const path = keyPath(account);
    const { expiresAt } = (await owner.client.get(path)).body;
    expect(secondsBetween(body.createdAt, expiresAt)).toBe(DAY);
    await endOverlap(account.keyId);
    await owner.client.patch(`${account.path}/keys/${body.id}`, { name: 'Raises the epoch' });
    expect(await Promise.all(clients.map(statusWith))).toEqual([401, 200]);
  });

  it('201: records both keys and their account, and no token', async () => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.post(`${keyPath(account)}/rotate`, { name: 'Next' });
    const { id, token, overlapEndsAt } = answer.body;
    const events = await changesOf(server, answer);
    const [oldOne, newOne] = [
      { type: 'key', id: account.keyId, name: 'Default' },
      { type: 'key', id, name: 'Next' },
    ];
    const owning = { type: 'serviceAccount', id: account.id, name: account.name };
    expect(events).toMatchObject([
      { action: 'key.created', targets: [newOne, owning] },
      {
        action: 'key.rotated',
        actor: { type: 'user', id: owner.id },
        targets: [oldOne, owning, newOne],
        changes: {
          expiresAt: { before: null, after: overlapEndsAt },
          replacedById: { before: null, after: id },
        },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain(token.slice(-12));
  });

  it('201: an account that is disabled gets its successor, and works again when it is enabled', async () => {
    const account = await aServiceAccount(server, organization, { status: 'disabled' });
    const { status, body } = await owner.client.post(`${keyPath(account)}/rotate`, {});
    expect(status).toBe(201);
    expect(await statusWith(server.client.withToken(body.token))).toBe(401);
    await owner.client.post(`${account.path}/enable`);
    expect(await statusWith(server.client.withToken(body.token))).toBe(200);
  });

  it('201: the same request again gets the same token, and nothing is made twice', async () => {
    const account = await aServiceAccount(server, organization);
    const headers = { 'idempotency-key': randomUUID() };
    const first = await owner.client.post(`${keyPath(account)}/rotate`, {}, headers);
    const again = await owner.client.post(`${keyPath(account)}/rotate`, {}, headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect((await owner.client.get(`${account.path}/keys`)).body.data).toHaveLength(2);
  });

  it.each([
    [{ overlapSeconds: -1 }, '/overlapSeconds', 'too_small'],
    [{ overlapSeconds: 7 * DAY + 1 }, '/overlapSeconds', 'too_large'],
    [{ overlapSeconds: '60' }, '/overlapSeconds', 'wrong_type'],
    [{ overlapSeconds: null }, '/overlapSeconds', 'wrong_type'],
    [{ name: '' }, '/name', 'too_short'],
    [{ expiresAt: PAST.toISOString() }, '/expiresAt', 'in_the_past'],
    [{ permissions: ['keys:read'] }, '/permissions', 'unknown_property'],
  ])('400: %j', async (input, pointer, code) => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.post(`${keyPath(account)}/rotate`, input);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
    expect((await owner.client.get(keyPath(account))).body.replacedById).toBeNull();
  });

  it('403: who does not hold what the successor could do', async () => {
    const above = await aServiceAccount(server, organization, { role: 'owner' });
    const answer = await admin.client.post(`${keyPath(above)}/rotate`, {});
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    expect(answer.body.required).toBe('organization:delete');
    const narrow = await aKey(server, organization, above, { permissions: ['keys:read'] });
    expect((await admin.client.post(`${narrow.path}/rotate`, {})).status).toBe(201);
  });

  it('403: without keys:manage, also for the account’s own key', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const answer = await account.client.post(`${keyPath(account)}/rotate`, {});
    expect(codeOf(answer)).toEqual([403, 'insufficient_scope']);
    expect(answer.body.required).toBe('keys:manage');
  });

  it('404: unknown, of another account, of another organization', async () => {
    const account = await aServiceAccount(server, organization);
    const sibling = await aServiceAccount(server, organization);
    const other = await anOrganization(server);
    const foreign = await aServiceAccount(server, other);
    for (const id of [newId('key'), sibling.keyId, foreign.keyId, 'nonsense']) {
      const answer = await owner.client.post(`${account.path}/keys/${id}/rotate`, {});
      expect(codeOf(answer)).toEqual([404, 'not_found']);
    }
    expect((await owner.client.post(`${keyPath(foreign)}/rotate`, {})).status).toBe(404);
  });

  it('409: revoked, expired, replaced', async () => {
    const account = await aServiceAccount(server, organization);
    const revoked = await aKey(server, organization, account, { revokedAt: PAST });
    const expired = await aKey(server, organization, account, { expiresAt: PAST });
    const rotate = async (path: string) => codeOf(await owner.client.post(`${path}/rotate`, {}));
    expect(await rotate(revoked.path)).toEqual([409, 'key_revoked']);
    expect(await rotate(expired.path)).toEqual([409, 'key_expired']);
    expect(await rotate(keyPath(account))).toEqual([201, undefined]);
    expect(await rotate(keyPath(account))).toEqual([409, 'key_replaced']);
    await endOverlap(account.keyId);
    expect(await rotate(keyPath(account))).toEqual([409, 'key_replaced']);
  });

  it('409: rotated by several at once, one gets a successor and all others hear so', async () => {
    const account = await aServiceAccount(server, organization);
    const sibling = onPostgres ? await startSibling(server) : undefined;
    const doors = [owner.client, sibling?.client.withToken(owner.token) ?? owner.client];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        doors[index % 2]!.post(`${keyPath(account)}/rotate`, {}),
      ),
    );
    await sibling?.close();
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201).map(codeOf);
    expect(made).toHaveLength(1);
    expect(refused).toEqual(Array.from({ length: 9 }, () => [409, 'key_replaced']));
    const { data } = (await owner.client.get(`${account.path}/keys`)).body;
    expect(data).toHaveLength(2);
    const old = data.find(({ id }: { id: string }) => id === account.keyId);
    expect(old.replacedById).toBe(made[0]!.body.id);
  });

  it('412: not when the key has changed since it was read', async () => {
    const account = await aServiceAccount(server, organization);
    const path = keyPath(account);
    const seen = (await owner.client.get(path)).headers.get('etag')!;
    await owner.client.patch(path, { name: 'Renamed' });
    const refused = await owner.client.post(`${path}/rotate`, {}, { 'if-match': seen });
    expect(codeOf(refused)).toEqual([412, 'precondition_failed']);
    const now = (await owner.client.get(path)).headers.get('etag')!;
    expect((await owner.client.post(`${path}/rotate`, {}, { 'if-match': now })).status).toBe(201);
  });
});

describe('the limit of keys', () => {
  it('does not keep a full account from rotating each of its keys', async () => {
    const other = await anOrganization(server);
    const boss = await aPerson(server, other);
    const account = await aServiceAccount(server, other);
    const second = await aKey(server, other, account);
    await setLimits(server, other.id, { maxKeysPerServiceAccount: 2 });
    for (const path of [keyPath(account), second.path]) {
      expect((await boss.client.post(`${path}/rotate`, {})).status).toBe(201);
    }
    const more = await boss.client.post(`${account.path}/keys`, { name: 'One more' });
    expect(codeOf(more)).toEqual([409, 'key_limit']);
    expect((await boss.client.get(account.path)).body.keyCount).toBe(4);
  });

  it('does not when it was lowered below what the account has', async () => {
    const other = await anOrganization(server);
    const boss = await aPerson(server, other);
    const account = await aServiceAccount(server, other);
    const keys = [
      keyPath(account),
      (await aKey(server, other, account)).path,
      (await aKey(server, other, account)).path,
    ];
    await setLimits(server, other.id, { maxKeysPerServiceAccount: 1 });
    for (const path of keys) {
      expect((await boss.client.post(`${path}/rotate`, {})).status).toBe(201);
    }
  });

  it('409: holds for replaced keys that still work, so that rotating again and again makes no crowd', async () => {
    const other = await anOrganization(server);
    const boss = await aPerson(server, other);
    const account = await aServiceAccount(server, other);
    await setLimits(server, other.id, { maxKeysPerServiceAccount: 2 });
    let path = keyPath(account);
    for (let round = 0; round < 2; round += 1) {
      const { body } = await boss.client.post(`${path}/rotate`, {});
      path = `${account.path}/keys/${body.id}`;
    }
    expect(codeOf(await boss.client.post(`${path}/rotate`, {}))).toEqual([409, 'key_limit']);
    const atOnce = await boss.client.post(`${path}/rotate`, { overlapSeconds: 0 });
    expect(atOnce.status).toBe(201);
    await boss.client.delete(keyPath(account));
    const next = `${account.path}/keys/${atOnce.body.id}`;
    expect((await boss.client.post(`${next}/rotate`, {})).status).toBe(201);
  });
});
