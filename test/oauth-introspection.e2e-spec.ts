import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anOrganization, aKey, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestServiceAccount } from './factories.js';
import { type Client, eventsOf, startServer, type TestServer } from './harness.js';
import { basic, postForm } from './oauth.js';
import { eventually } from './eventually.js';

const INACTIVE = '{"active":false}';

let server: TestServer;
let organization: TestOrganization;
let verifier: TestServiceAccount;
let owner: Client;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  verifier = await aServiceAccount(server, organization, { role: 'verifier', name: 'Gateway' });
  owner = (await aPerson(server, organization)).client;
});
afterAll(() => server.close());

const ask = (token: string, more: Record<string, string> = {}, client = verifier.client) =>
  postForm(client, '/oauth/introspect', { token, ...more });

async function isInactive(token: string, more: Record<string, string> = {}): Promise<void> {
  const { status, body } = await ask(token, more);
  expect([status, JSON.stringify(body)]).toEqual([200, INACTIVE]);
}

/** What the trail says of the one request. */
async function eventOf({ headers }: { headers: Headers }, of = server) {
  const requestId = headers.get('x-request-id') ?? '?';
  const [row] = await eventsOf(of, { requestId, action: 'http.request' });
  return row!.event;
}

describe('an active token', () => {
  it('is described by the members of RFC 7662, and no expiry where there is none', async () => {
    const account = await aServiceAccount(server, organization, {
      role: 'auditor',
      name: 'Reports',
    });
    const { status, body, headers } = await ask(account.token);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      active: true,
      client_id: account.id,
      username: 'Reports',
      scope: expect.stringMatching(/(?:^| )data:export(?: |$)/),
      sub: account.id,
      iss: server.config.publicUrl,
      iat: expect.any(Number),
      jti: account.keyId,
      token_type: 'Bearer',
      organization_id: organization.id,
    });
    expect(Math.abs(body.iat - Date.now() / 1_000)).toBeLessThan(600);
  });

  it('has the permissions of its role that its key has too, and its expiry in seconds', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const expiresAt = new Date(Date.now() + 3_600_000);
    const options = { permissions: ['audit:read', 'users:manage'], expiresAt };
    const key = await aKey(server, organization, account, options);
    const { body } = await ask(key.token);
    expect(body).toMatchObject({
      scope: 'audit:read',
      exp: Math.floor(expiresAt.getTime() / 1_000),
    });
  });

  it.each(['', 'access_token', 'refresh_token', 'something'])(
    'is found whatever the hint %j says',
    async (token_type_hint) => {
      const account = await aServiceAccount(server, organization);
      expect((await ask(account.token, { token_type_hint })).body.active).toBe(true);
    },
  );

  it('is so for a question that it is good enough for', async () => {
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    const { body } = await ask(account.token, { required_scope: 'audit:read data:export' });
    expect(body.active).toBe(true);
    const allowedCidrs = ['192.0.2.0/24', '2001:db8::/32'];
    const key = await aKey(server, organization, account, { allowedCidrs });
    for (const client_ip of ['192.0.2.9', '::ffff:192.0.2.9', '2001:db8::1']) {
      expect((await ask(key.token, { client_ip })).body.active).toBe(true);
    }
    const zone = await ask(key.token, { client_ip: `192.0.2.9%${'x'.repeat(64)}` });
    expect([zone.status, zone.body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('an inactive token is {"active":false} and nothing else:', () => {
  it('unknown, malformed, with a wrong secret', async () => {
    const account = await aServiceAccount(server, organization);
    const elsewhere = await startServer();
    try {
      const unknown = await anOrganization(elsewhere);
      // Well-formed and of nobody here.
      await isInactive((await aServiceAccount(elsewhere, unknown)).token);
    } finally {
      await elsewhere.close();
    }
    for (const token of ['x', 'clv_', `${account.token}x`, account.token.slice(0, -1), '🗝']) {
      await isInactive(token);
    }
  });

  it('expired, revoked, its account disabled', async () => {
    const account = await aServiceAccount(server, organization);
    const past = new Date(Date.now() - 1_000);
    await isInactive((await aKey(server, organization, account, { expiresAt: past })).token);
    await isInactive((await aKey(server, organization, account, { revokedAt: past })).token);
    expect((await ask(account.token)).body.active).toBe(true);
    expect((await owner.post(`${account.path}/disable`)).status).toBe(200);
    await isInactive(account.token);
    expect((await owner.post(`${account.path}/enable`)).status).toBe(200);
    expect((await ask(account.token)).body.active).toBe(true);
    expect((await owner.delete(account.path)).status).toBe(204);
    await isInactive(account.token);
  });

  it('of another organization, whose trail does not move', async () => {
    const other = await anOrganization(server);
    const foreign = await aServiceAccount(server, other, { role: 'owner', name: 'Foreign' });
    // In the cache, too.
    expect((await foreign.client.get('/v1/me')).status).toBe(200);
    const before = await eventsOf(server, { chain: other.id });
    const answer = await ask(foreign.token);
    expect(JSON.stringify(answer.body)).toBe(INACTIVE);
    expect(await eventsOf(server, { chain: other.id })).toHaveLength(before.length);
    const event = await eventOf(answer);
    expect(event).toMatchObject({ targets: [], reason: 'unknown' });
    expect(JSON.stringify(event)).not.toContain(foreign.id);
    expect(JSON.stringify(event)).not.toContain(other.id);
  });

  it('of a session, which it does not keep awake', async () => {
    const person = await aPerson(server, organization);
    const lastSeenAt = new Date(Date.now() - 600_000);
    const where = { id: person.sessionId };
    await server.database.system((tx) => tx.session.update({ where, data: { lastSeenAt } }));
    await isInactive(person.token);
    const row = await server.database.system((tx) => tx.session.findUniqueOrThrow({ where }));
    expect(row.lastSeenAt).toEqual(lastSeenAt);
  });

  it('without a required scope, or from an address that is not allowed', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    await isInactive(account.token, { required_scope: 'keys:manage' });
    await isInactive(account.token, { required_scope: 'keys:read keys:manage' });
    const key = await aKey(server, organization, account, { allowedCidrs: ['192.0.2.0/24'] });
    await isInactive(key.token);
    await isInactive(key.token, { client_ip: '198.51.100.1' });
    expect((await ask(key.token, { client_ip: '192.0.2.1' })).body.active).toBe(true);
  });

  it('never because of what the cache says: a grant holds for the next question', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const more = { required_scope: 'users:manage' };
    await isInactive(account.token, more);
    await isInactive(account.token, more);
    const given = await owner.patch(account.path, { role: 'provisioner' });
    expect(given.status).toBe(200);
    expect((await ask(account.token, more)).body.active).toBe(true);
    expect((await owner.patch(account.path, { role: 'viewer' })).status).toBe(200);
    await isInactive(account.token, more);
  });
});

describe('on the trail', () => {
  it('stand the caller with its key, and the account that was asked about with its own', async () => {
    const account = await aServiceAccount(server, organization, { name: 'Asked about' });
    const targets = [
      { type: 'key', id: account.keyId, name: 'Default' },
      { type: 'serviceAccount', id: account.id, name: 'Asked about' },
    ];
    const caller = {
      actor: { type: 'serviceAccount', id: verifier.id, name: 'Gateway' },
      key: { id: verifier.keyId, name: 'Default' },
      route: '/oauth/introspect',
      permission: 'tokens:introspect',
      outcome: 'success',
    };
    // The second answer rests on the cache.
    for (let round = 0; round < 2; round += 1) {
      expect(await eventOf(await ask(account.token))).toMatchObject({
        ...caller,
        targets,
        reason: null,
      });
    }
    const narrowed = await ask(account.token, { required_scope: 'keys:manage' });
    expect(await eventOf(narrowed)).toMatchObject({ targets, reason: 'insufficient_scope' });
    expect((await owner.delete(`${account.path}/keys/${account.keyId}`)).status).toBe(204);
    const revoked = await ask(account.token);
    expect(await eventOf(revoked)).toMatchObject({ ...caller, targets, reason: 'revoked' });
  });

  it('is exactly one event for each question', async () => {
    const account = await aServiceAccount(server, organization);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(account.token)));
    for (const { headers } of answers) {
      const requestId = headers.get('x-request-id') ?? '?';
      expect(await eventsOf(server, { requestId })).toHaveLength(1);
    }
    const verification = await owner.get(`${organization.path}/audit-events/verify?limit=100000`);
    expect(verification.body.valid).toBe(true);
  });
});

describe('being asked about', () => {
  const usageOf = async (path: string) => (await owner.get(path)).body;

  it('counts as use, from the address that the caller tells', async () => {
    const account = await aServiceAccount(server, organization);
    const path = `${account.path}/keys/${account.keyId}`;
    await ask(account.token, { client_ip: '::ffff:203.0.113.7' });
    const key = await eventually(async () => {
      const found = await usageOf(path);
      return found.lastUsedAt === null ? undefined : found;
    });
    expect(key.lastUsedIp).toBe('203.0.113.7');
    const silent = await aServiceAccount(server, organization);
    await ask(silent.token);
    const used = await eventually(async () => {
      const found = await usageOf(`${silent.path}/keys/${silent.keyId}`);
      return found.lastUsedAt === null ? undefined : found;
    });
    expect(used.lastUsedIp).toBeNull();
  });

  it('does not count when the answer is no', async () => {
    const account = await aServiceAccount(server, organization);
    const marker = await aServiceAccount(server, organization);
    await ask(account.token, { required_scope: 'keys:manage' });
    await ask(marker.token);
    // Uses are written in the order in which they were noted: with the marker's this one would be there.
    await eventually(async () =>
      (await usageOf(marker.path)).lastUsedAt === null ? undefined : true,
    );
    expect((await usageOf(account.path)).lastUsedAt).toBeNull();
  });
});

describe('the caller', () => {
  const form = (token: string) => ({ token });

  it.each(['bearer', 'basic', 'post'])('may come by %s, and is named on the trail', async (way) => {
    const account = await aServiceAccount(server, organization);
    const { id, token, client } = verifier;
    const answer =
      way === 'bearer'
        ? await postForm(client, '/oauth/introspect', form(account.token))
        : way === 'basic'
          ? await postForm(
              server.client,
              '/oauth/introspect',
              form(account.token),
              basic(id, token),
            )
          : await postForm(server.client, '/oauth/introspect', {
              ...form(account.token),
              client_id: id,
              client_secret: token,
            });
    expect(answer.body.active).toBe(true);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('1000000');
    expect(await eventOf(answer)).toMatchObject({
      actor: { id: verifier.id },
      key: { id: verifier.keyId },
    });
  });

  it('needs tokens:introspect; a person’s session has it nowhere', async () => {
    const viewer = await aServiceAccount(server, organization, { role: 'viewer' });
    for (const client of [viewer.client, owner]) {
      const { status, body, headers } = await ask(viewer.token, {}, client);
      expect([status, body.error]).toEqual([403, 'insufficient_scope']);
      expect(body.required).toBe('tokens:introspect');
      expect(headers.get('www-authenticate')).toContain('scope="tokens:introspect"');
    }
    const byBasic = basic(viewer.id, viewer.token);
    const asked = await postForm(server.client, '/oauth/introspect', { token: 'x' }, byBasic);
    expect([asked.status, asked.body.error]).toEqual([403, 'insufficient_scope']);
    expect((await eventOf(asked)).actor.id).toBe(viewer.id);
  });

  it('is refused from an address that its key is not for, whatever way it takes', async () => {
    const options = { allowedCidrs: ['192.0.2.0/24'] };
    const key = await aKey(server, organization, verifier, options);
    const from = (ip: string) => ({ ...basic(verifier.id, key.token), 'x-forwarded-for': ip });
    const elsewhere = from('198.51.100.7');
    const refused = await postForm(server.client, '/oauth/introspect', { token: 'x' }, elsewhere);
    expect([refused.status, refused.body.error]).toEqual([403, 'access_denied']);
    const inside = from('192.0.2.8');
    const asked = await postForm(server.client, '/oauth/introspect', { token: 'x' }, inside);
    expect(asked.status).toBe(200);
  });

  it('that is revoked gets 401 at once, though it was in the cache', async () => {
    const caller = await aServiceAccount(server, organization, { role: 'verifier' });
    const account = await aServiceAccount(server, organization);
    for (let round = 0; round < 3; round += 1) {
      expect((await ask(account.token, {}, caller.client)).body.active).toBe(true);
    }
    expect((await owner.delete(`${caller.path}/keys/${caller.keyId}`)).status).toBe(204);
    const headers = basic(caller.id, caller.token);
    const form = { token: account.token };
    const refused = await postForm(server.client, '/oauth/introspect', form, headers);
    expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
    expect(await eventOf(refused)).toMatchObject({ reason: 'revoked', targets: [] });
  });

  it('that loses the permission gets 403 at once, and the asked-about stays unnamed', async () => {
    const caller = await aServiceAccount(server, organization, { role: 'verifier' });
    const account = await aServiceAccount(server, organization);
    await ask(account.token, {}, caller.client);
    await ask(account.token, {}, caller.client);
    expect((await owner.patch(caller.path, { role: 'viewer' })).status).toBe(200);
    const refused = await ask(account.token, {}, caller.client);
    expect([refused.status, refused.body.error]).toEqual([403, 'insufficient_scope']);
    expect((await eventOf(refused)).targets).toEqual([]);
    expect((await owner.patch(caller.path, { role: 'verifier' })).status).toBe(200);
    expect((await ask(account.token, {}, caller.client)).body.active).toBe(true);
  });

  it('may ask about its own key', async () => {
    const { body } = await ask(verifier.token);
    expect(body).toMatchObject({ active: true, scope: 'tokens:introspect' });
  });
});

describe('an answer that rests on the cache', () => {
  it('is computed again when the role of the asked-about account has changed', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    await ask(account.token);
    expect((await ask(account.token)).body.scope).not.toContain('users:manage');
    await owner.patch(account.path, { role: 'provisioner' });
    expect((await ask(account.token)).body.scope).toContain('users:manage');
    await owner.patch(account.path, { name: 'Another name' });
    expect((await ask(account.token)).body.username).toBe('Another name');
  });

  it('ends with the key’s expiry, though nobody changed anything', async () => {
    const account = await aServiceAccount(server, organization);
    const options = { expiresAt: new Date(Date.now() + 2_000) };
    const key = await aKey(server, organization, account, options);
    // Asked all the time, so that it is in the cache; time raises no epoch.
    expect((await ask(key.token)).body.active).toBe(true);
    const ended = await eventually(async () => {
      const answer = await ask(key.token);
      return answer.body.active === true ? undefined : answer;
    });
    expect(await eventOf(ended)).toMatchObject({
      reason: 'expired',
      targets: [{ id: key.id }, {}],
    });
  });
});
