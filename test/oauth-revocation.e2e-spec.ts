import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anOrganization, aKey, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestServiceAccount } from './factories.js';
import { type Client, eventsOf, startServer, type TestServer } from './harness.js';
import { basic, postForm, withAccessToken } from './oauth.js';

let server: TestServer;
let organization: TestOrganization;
let manager: TestServiceAccount;
let owner: Client;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  manager = await aServiceAccount(server, organization, { role: 'admin', name: 'Manager' });
  owner = (await aPerson(server, organization)).client;
});
afterAll(() => server.close());

const revoke = (client: Client, token: string, more: Record<string, string> = {}) =>
  postForm(client, '/oauth/revoke', { token, ...more });

async function revocationsOf(keyId: string) {
  const events = await eventsOf(server, { chain: organization.id, action: 'key.revoked' });
  return events.filter(({ targetId }) => targetId === keyId).map(({ event }) => event);
}

describe('POST /oauth/revoke', () => {
  it('ends a key at once: 200 with no body, and an event by the caller', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    const { status, body, headers } = await revoke(manager.client, account.token);
    expect([status, body]).toEqual([200, undefined]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await account.client.get('/v1/me')).status).toBe(401);
    const [event, ...more] = await revocationsOf(account.keyId);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      actor: { id: manager.id, name: 'Manager' },
      requestId: headers.get('x-request-id'),
      targets: [{ type: 'key', id: account.keyId }, { type: 'serviceAccount' }],
    });
  });

  it('is the same answer, and no further event, for what is revoked already', async () => {
    const account = await aServiceAccount(server, organization);
    for (let round = 0; round < 2; round += 1) {
      const { status, body } = await revoke(manager.client, account.token);
      expect([status, body]).toEqual([200, undefined]);
    }
    expect(await revocationsOf(account.keyId)).toHaveLength(1);
  });

  it('lets a key end itself: it gets its 200, and the trail has it', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    const headers = basic(account.id, account.token);
    const form = { token: account.token };
    const { status } = await postForm(server.client, '/oauth/revoke', form, headers);
    expect(status).toBe(200);
    expect(await revocationsOf(account.keyId)).toHaveLength(1);
    const again = await postForm(server.client, '/oauth/revoke', form, headers);
    expect([again.status, again.body.error]).toEqual([401, 'invalid_client']);
  });

  it('lets an account end another key of its own without any permission', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    const other = await aKey(server, organization, account);
    expect((await revoke(account.client, other.token, { token_type_hint: 'x' })).status).toBe(200);
    expect((await other.client.get('/v1/me')).status).toBe(401);
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it('refuses the key of another account without keys:manage: 403, the key stays', async () => {
    const caller = await aServiceAccount(server, organization, { role: 'viewer' });
    const account = await aServiceAccount(server, organization);
    const { status, body, headers } = await revoke(caller.client, account.token);
    expect([status, body.error, body.required]).toEqual([403, 'insufficient_scope', 'keys:manage']);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    const requestId = headers.get('x-request-id') ?? '?';
    const [row] = await eventsOf(server, { requestId, action: 'http.request' });
    expect(row?.event).toMatchObject({ outcome: 'denied', actor: { id: caller.id } });
  });

  it('does nothing, and says nothing, about a token of another organization', async () => {
    const other = await anOrganization(server);
    const foreign = await aServiceAccount(server, other);
    const before = await eventsOf(server, { chain: other.id });
    const { status, body } = await revoke(manager.client, foreign.token);
    expect([status, body]).toEqual([200, undefined]);
    expect(await eventsOf(server, { chain: other.id })).toHaveLength(before.length);
    expect((await foreign.client.get('/v1/me')).status).toBe(200);
  });

  it('takes unknown and malformed tokens and those of people for done', async () => {
    const person = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization);
    const wrongSecret = account.token.slice(0, 40) + account.token.slice(40).toLowerCase();
    for (const token of ['x', wrongSecret, person.token]) {
      expect((await revoke(manager.client, token)).status).toBe(200);
    }
    expect((await person.client.get('/v1/me')).status).toBe(200);
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it('ends the key of a disabled account for good', async () => {
    const account = await aServiceAccount(server, organization);
    await owner.post(`${account.path}/disable`);
    expect((await revoke(manager.client, account.token)).status).toBe(200);
    await owner.post(`${account.path}/enable`);
    expect((await account.client.get('/v1/me')).status).toBe(401);
  });

  it('ends the access token of a disabled account for good, and not its key', async () => {
    const account = await aServiceAccount(server, organization);
    const client = await withAccessToken(server.client, account);
    await owner.post(`${account.path}/disable`);
    expect((await revoke(manager.client, client.token!)).status).toBe(200);
    await owner.post(`${account.path}/enable`);
    expect((await client.get('/v1/me')).status).toBe(401);
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it('takes the tokens of deleted accounts for done', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await owner.delete(account.path)).status).toBe(204);
    expect((await revoke(manager.client, account.token)).status).toBe(200);
  });

  it('is for service accounts; people have the keys themselves', async () => {
    const account = await aServiceAccount(server, organization);
    const { status, body } = await revoke(owner, account.token);
    expect([status, body.error, body.code]).toEqual([
      403,
      'access_denied',
      'service_accounts_only',
    ]);
  });
});

describe('an access token', () => {
  const aToken = async (account: TestServiceAccount): Promise<string> => {
    const headers = basic(account.id, account.token);
    const form = { grant_type: 'client_credentials' };
    const { status, body } = await postForm(server.client, '/oauth/token', form, headers);
    expect(status).toBe(200);
    return body.access_token;
  };

  it('is ended alone: its key and its siblings stay, and the trail has it', async () => {
    const account = await aServiceAccount(server, organization);
    const [token, sibling] = [await aToken(account), await aToken(account)];
    const by = (one: string) => server.client.withToken(one).get('/v1/me');
    // Twice, so that it is in the cache when it ends.
    expect((await by(token)).status).toBe(200);
    expect((await by(token)).status).toBe(200);
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    for (let round = 0; round < 2; round += 1) {
      expect((await revoke(manager.client, token)).status).toBe(200);
      expect((await by(token)).status).toBe(401);
    }
    expect((await by(sibling)).status).toBe(200);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    expect(await revocationsOf(account.keyId)).toEqual([]);
    const action = 'access_token.revoked';
    const [event, ...more] = (await eventsOf(server, { chain: organization.id, action })).filter(
      ({ targetId }) => targetId === jti,
    );
    expect(more).toEqual([]);
    expect(event?.event).toMatchObject({
      actor: { id: manager.id },
      targets: [{ type: 'accessToken' }, { id: account.keyId }, { id: account.id }],
    });
  });

  it('of another account needs keys:manage', async () => {
    const account = await aServiceAccount(server, organization);
    const caller = await aServiceAccount(server, organization, { role: 'viewer' });
    const token = await aToken(account);
    const { status, body } = await revoke(caller.client, token);
    expect([status, body.error]).toEqual([403, 'insufficient_scope']);
    expect((await server.client.withToken(token).get('/v1/me')).status).toBe(200);
  });

  it('ends with its key', async () => {
    const account = await aServiceAccount(server, organization);
    const token = await aToken(account);
    expect((await revoke(account.client, account.token)).status).toBe(200);
    expect((await server.client.withToken(token).get('/v1/me')).status).toBe(401);
    expect((await revoke(manager.client, token)).status).toBe(200);
  });
});
