import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { type Answer, type Client, startServer, changesOf, errorsOf } from './harness.js';
import type { TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { keyPairFor } from './key-pairs.js';
import { setKey } from './lifetimes.js';
import { withAccessToken } from './oauth.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
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

describe('a replaced key', () => {
  async function replaced() {
    const account = await aServiceAccount(server, organization);
    const { body } = await owner.client.post(`${keyPath(account)}/rotate`, { overlapSeconds: DAY });
    return { account, path: keyPath(account), successor: body };
  }

  it('can end early, and last until 7 days after the rotation', async () => {
    const { account, path, successor } = await replaced();
    const rotatedAt = Date.parse(successor.createdAt);
    const at = (seconds: number) => new Date(rotatedAt + seconds * 1000).toISOString();
    const patch = (expiresAt: string | null) => owner.client.patch(path, { expiresAt });
    expect((await patch(at(7 * DAY))).body).toMatchObject({
      status: 'expiring',
      expiresAt: at(7 * DAY),
    });
    for (const tooLate of [at(7 * DAY + 1), null]) {
      expect(errorsOf(await patch(tooLate))).toEqual([400, [['/expiresAt', 'too_far']]]);
    }
    expect((await patch(at(3_600))).body.expiresAt).toBe(at(3_600));
    expect((await owner.client.patch(path, { name: 'Old' })).body.name).toBe('Old');
    expect((await owner.client.delete(path)).status).toBe(204);
    expect(await statusWith(account.client)).toBe(401);
    expect((await owner.client.get(path)).body).toMatchObject({
      status: 'revoked',
      replacedById: successor.id,
    });
    expect(await statusWith(server.client.withToken(successor.token))).toBe(200);
  });

  it('can come back after it has ended too early, within the same 7 days', async () => {
    const { account, path } = await replaced();
    await endOverlap(account.keyId);
    const answer = await owner.client.patch(path, { expiresAt: fromNow(3_600).toISOString() });
    expect(answer.body.status).toBe('expiring');
    expect(await statusWith(account.client)).toBe(200);
  });

  it('stays, and ends as it would, when its successor is revoked', async () => {
    const { account, path, successor } = await replaced();
    await owner.client.delete(`${account.path}/keys/${successor.id}`);
    expect(await statusWith(account.client)).toBe(200);
    expect((await owner.client.get(path)).body).toMatchObject({
      status: 'expiring',
      replacedById: successor.id,
      expiresAt: successor.overlapEndsAt,
    });
    const again = await owner.client.post(`${path}/rotate`, {});
    expect(codeOf(again)).toEqual([409, 'key_replaced']);
    expect((await owner.client.post(`${account.path}/keys`, { name: 'New' })).status).toBe(201);
  });

  it('ends with its account', async () => {
    const { account, successor } = await replaced();
    await owner.client.delete(account.path);
    expect(await statusWith(account.client)).toBe(401);
    expect(await statusWith(server.client.withToken(successor.token))).toBe(401);
  });

  it('is found by its status in lists', async () => {
    const { account, successor } = await replaced();
    const list = async (status: string) =>
      (await owner.client.get(`${account.path}/keys?status=${status}`)).body.data.map(
        ({ id }: { id: string }) => id,
      );
    expect(await list('expiring')).toEqual([account.keyId]);
    expect(await list('active')).toEqual([successor.id]);
  });
});

describe('a key with a public key', () => {
  it('needs a public key for its successor, and gets no token', async () => {
    const account = await aServiceAccount(server, organization);
    const made = await owner.client.post(`${account.path}/keys`, {
      name: 'Signed',
      publicKey: keyPairFor('ES256').publicKey,
    });
    expect(made.status).toBe(201);
    const path = `${account.path}/keys/${made.body.id}`;
    expect(errorsOf(await owner.client.post(`${path}/rotate`, {}))).toEqual([
      400,
      [['/publicKey', 'required']],
    ]);
    const publicKey = keyPairFor('ES256').publicKey;
    const { status, body } = await owner.client.post(`${path}/rotate`, { publicKey });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      type: 'publicKey',
      publicKey,
      token: null,
      obfuscatedToken: null,
      rotatedFromId: made.body.id,
    });
  });

  it('can take over from a token', async () => {
    const account = await aServiceAccount(server, organization);
    const input = { publicKey: keyPairFor('ES256').publicKey };
    const { status, body } = await owner.client.post(`${keyPath(account)}/rotate`, input);
    expect(status).toBe(201);
    expect(body).toMatchObject({ type: 'publicKey', token: null });
    expect(await statusWith(account.client)).toBe(200);
  });
});

describe('POST /v1/me/key/rotate', () => {
  const ROTATE = '/v1/me/key/rotate';

  it('201: an account replaces its own key, and can do no more with the new one', async () => {
    const account = await aServiceAccount(server, organization, { role: 'provisioner' });
    const permissions = ['users:read', 'keys:rotate-own'];
    const key = await aKey(server, organization, account, { name: 'Own', permissions });
    const answer = await key.client.post(ROTATE, {});
    expect(answer.status).toBe(201);
    const { id, token, overlapEndsAt, createdAt } = answer.body;
    expect(answer.body).toMatchObject({
      name: 'Own',
      permissions,
      rotatedFromId: key.id,
      createdBy: { type: 'serviceAccount', id: account.id, name: account.name },
    });
    expect(secondsBetween(createdAt, overlapEndsAt)).toBe(DAY);
    expect(answer.headers.get('location')).toBe(`${account.path}/keys/${id}`);
    const renewed = server.client.withToken(token);
    expect((await renewed.get('/v1/me')).body.permissions).toEqual([...permissions].sort());
    // And so on: the successor rotates itself as well.
    expect((await renewed.post(ROTATE, { name: 'Third' })).body.name).toBe('Third');
    const events = await changesOf(server, answer);
    expect(events.map(({ action, key: by }) => [action, by.id])).toEqual([
      ['key.created', key.id],
      ['key.rotated', key.id],
    ]);
  });

  it('201: a lost answer can be had again with the old token', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const headers = { 'idempotency-key': randomUUID() };
    const first = await account.client.post(ROTATE, { overlapSeconds: 600 }, headers);
    const again = await account.client.post(ROTATE, { overlapSeconds: 600 }, headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(codeOf(await account.client.post(ROTATE, {}))).toEqual([409, 'key_replaced']);
  });

  it('201: a key that ends in less than 10 minutes ends by itself, and the answer says when', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const expiresAt = fromNow(120);
    const key = await aKey(server, organization, account, { expiresAt });
    const { body } = await key.client.post(ROTATE, {});
    expect(body.overlapEndsAt).toBe(expiresAt.toISOString());
  });

  it.each([
    [{ overlapSeconds: 599 }, '/overlapSeconds', 'too_small'],
    [{ overlapSeconds: 7 * DAY + 1 }, '/overlapSeconds', 'too_large'],
    [{ expiresAt: null }, '/expiresAt', 'unknown_property'],
    [{ permissions: null }, '/permissions', 'unknown_property'],
    [{ allowedCidrs: [] }, '/allowedCidrs', 'unknown_property'],
  ])('400: %j', async (input, pointer, code) => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const answer = await account.client.post(ROTATE, input);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
  });

  it('403: without keys:rotate-own, of the role or of the key', async () => {
    const viewer = await aServiceAccount(server, organization, { role: 'viewer' });
    const auditor = await aServiceAccount(server, organization, { role: 'auditor' });
    const narrow = await aKey(server, organization, auditor, { permissions: ['audit:read'] });
    for (const { client } of [viewer, narrow]) {
      const answer = await client.post(ROTATE, {});
      expect(codeOf(answer)).toEqual([403, 'insufficient_scope']);
      expect(answer.body.required).toBe('keys:rotate-own');
    }
  });

  it('403: people have no key', async () => {
    expect(codeOf(await owner.client.post(ROTATE, {}))).toEqual([403, 'service_accounts_only']);
  });

  it('403: an access token is not the key', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const client = await withAccessToken(server.client, account);
    expect((await client.get('/v1/me')).status).toBe(200);
    expect(codeOf(await client.post(ROTATE, {}))).toEqual([403, 'key_needed']);
    expect((await owner.client.get(keyPath(account))).body.replacedById).toBeNull();
  });
});

describe('what the answers to a key on its way out say', () => {
  const signsOf = ({ headers }: Answer) => [
    headers.get('deprecation'),
    headers.get('sunset'),
    headers.get('link'),
  ];

  it('Deprecation, Sunset and a link, on every answer to a key that has a successor', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    expect(signsOf(await account.client.get('/v1/me'))).toEqual([null, null, null]);
    const { body } = await owner.client.post(`${keyPath(account)}/rotate`, {});
    const expected = [
      `@${Math.floor(Date.parse(body.createdAt) / 1000)}`,
      new Date(body.overlapEndsAt).toUTCString(),
      `<${keyPath(account)}>; rel="deprecation"; type="application/json"`,
    ];
    const { path } = organization;
    const answers: [number, Answer][] = [
      // The first one rested on the cache until the gate found it stale.
      [200, await account.client.get('/v1/me')],
      [200, await account.client.get('/v1/me')],
      [200, await account.client.get(`${path}/users`)],
      [400, await account.client.get(`${path}/users?limit=none`)],
      [403, await account.client.get(`${path}/audit-events`)],
      [404, await account.client.get(`${account.path}/keys/${newId('key')}`)],
      [404, await account.client.get('/v1/nothing')],
      [405, await account.client.request('PUT', '/v1/me')],
      [
        415,
        await account.client.request('POST', `${path}/users`, 'x', {
          'content-type': 'text/plain',
        }),
      ],
      [404, await account.client.get((await anOrganization(server)).path)],
    ];
    for (const [status, answer] of answers) {
      expect([answer.status, ...signsOf(answer)]).toEqual([status, ...expected]);
    }
    const successor = server.client.withToken(body.token);
    expect(signsOf(await successor.get('/v1/me'))).toEqual([null, null, null]);
  });

  it('also on streams, changes and OAuth, and to access tokens of the key', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const { body } = await owner.client.post(`${keyPath(account)}/rotate`, {});
    const token = await withAccessToken(server.client, account);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const answers: [number, Answer][] = [
      [200, await account.client.get(`${organization.path}/exports/users?format=csv`)],
      [200, await account.client.patch(account.path, { description: 'Changed' })],
      [204, await account.client.delete(`${account.path}/keys/${body.id}`)],
      [409, await account.client.post(`${keyPath(account)}/rotate`, {})],
      [200, await account.client.request('POST', '/oauth/introspect', 'token=x', form)],
      [400, await account.client.request('POST', '/oauth/introspect', '', form)],
      [200, await token.get('/v1/me')],
    ];
    const sunset = new Date(body.overlapEndsAt).toUTCString();
    for (const [status, answer] of answers) {
      expect([answer.status, answer.headers.get('sunset')]).toEqual([status, sunset]);
      expect(answer.headers.get('deprecation')).toMatch(/^@[0-9]{10}$/);
    }
  });

  it('are readable by scripts of other origins', async () => {
    const web = await startServer({ corsOrigins: ['https://panel.example.com'] });
    try {
      const account = await aServiceAccount(web, await anOrganization(web));
      const { headers } = await account.client.get('/v1/me', {
        origin: 'https://panel.example.com',
      });
      const exposed = headers.get('access-control-expose-headers');
      for (const name of ['Deprecation', 'Sunset', 'Link']) expect(exposed).toContain(name);
    } finally {
      await web.close();
    }
  });

  it('are right as soon as the end has been moved, and gone once the key has ended', async () => {
    const account = await aServiceAccount(server, organization);
    const path = keyPath(account);
    const { body } = await owner.client.post(`${path}/rotate`, {});
    await account.client.get('/v1/me');
    const expiresAt = new Date(Date.parse(body.createdAt) + 3_600_000).toISOString();
    await owner.client.patch(path, { expiresAt });
    const [, sunset] = signsOf(await account.client.get('/v1/me'));
    expect(sunset).toBe(new Date(expiresAt).toUTCString());
    await owner.client.delete(path);
    const ended = await account.client.get('/v1/me');
    expect([ended.status, ...signsOf(ended)]).toEqual([401, null, null, null]);
  });

  it('Sunset alone for a key without a successor in its last 7 days', async () => {
    const account = await aServiceAccount(server, organization);
    const soon = fromNow(6 * DAY);
    const ending = await aKey(server, organization, account, { expiresAt: soon });
    const lasting = await aKey(server, organization, account, { expiresAt: fromNow(8 * DAY) });
    expect(signsOf(await ending.client.get('/v1/me'))).toEqual([null, soon.toUTCString(), null]);
    expect(signsOf(await lasting.client.get('/v1/me'))).toEqual([null, null, null]);
  });

  it('nothing to people, and nothing to who shows a wrong secret', async () => {
    const account = await aServiceAccount(server, organization);
    await owner.client.post(`${keyPath(account)}/rotate`, {});
    expect(signsOf(await owner.client.get('/v1/me'))).toEqual([null, null, null]);
    const forged = createToken(server.instance.tokenPrefix, 'key', account.keyId);
    const answer = await server.client.withToken(forged).get('/v1/me');
    expect([answer.status, ...signsOf(answer)]).toEqual([401, null, null, null]);
  });
});
