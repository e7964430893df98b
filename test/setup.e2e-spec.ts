import { afterEach, describe, expect, it } from '@jest/globals';
import { prepareFirstStart } from '../src/setup/first-start.js';
import { resetPassword } from '../src/auth/sessions.reset-password.js';
import { PasswordHasher } from '../src/crypto/password.js';
import { remember } from './canary.js';
import { aPerson } from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;
afterEach(() => server.close());

const password = 'a long enough passphrase';
const setup = (token: string, changes: object = {}) =>
  server.client.post('/v1/setup', {
    token,
    email: 'Ada@Example.com',
    password,
    name: 'Ada Lovelace',
    organizationName: 'Acme',
    ...changes,
  });

async function firstStart(): Promise<string> {
  const { setupLink = '' } = await prepareFirstStart(server.app);
  const [page, token = ''] = setupLink.split('#token=');
  remember(token);
  expect(page).toBe('http://localhost:3000/setup');
  return token;
}

describe('POST /v1/setup', () => {
  it('201: makes the first administrator and organization, and logs in', async () => {
    server = await startServer();
    const token = await firstStart();
    expect(token).toMatch(/^clvi_/);
    const answer = await setup(token);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      token: expect.stringMatching(/^clvs_/),
      user: { email: 'ada@example.com', name: 'Ada Lovelace', instanceAdministrator: true },
      organizations: [{ name: 'Acme', role: { key: 'owner' } }],
    });
    const client = server.client.withToken(answer.body.token);
    const [organization] = answer.body.organizations;
    expect((await client.get(`/v1/organizations/${organization.id}`)).status).toBe(200);
    const login = await server.client.post('/v1/sessions', { email: 'ada@example.com', password });
    expect(login.status).toBe(201);
    const events = await eventsOf(server, { chain: organization.id });
    expect(events.slice(0, 2).map(({ action, actorId }) => [action, actorId])).toEqual([
      ['organization.created', answer.body.user.id],
      ['user.created', answer.body.user.id],
    ]);
    expect(JSON.stringify(events.map(({ body }) => body))).not.toContain(token);
  });

  it('201 and 404: of two that race exactly one wins', async () => {
    server = await startServer();
    const token = await firstStart();
    const answers = await Promise.all([
      setup(token, { email: 'one@example.com' }),
      setup(token, { email: 'two@example.com' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404]);
    const users = await server.database.system((tx) => tx.user.count());
    expect(users).toBe(1);
  });

  it('404: everything, once there is an administrator', async () => {
    server = await startServer();
    const token = await firstStart();
    await setup(token);
    for (const answer of [
      await setup(token),
      await setup('wrong'),
      await server.client.post('/v1/setup', {}),
      await server.client.post('/v1/setup'),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
    expect(await prepareFirstStart(server.app)).toEqual({});
  });

  it('401: a token that is wrong, of an earlier start, or older than 30 minutes', async () => {
    server = await startServer();
    const earlier = await firstStart();
    const token = await firstStart();
    expect((await setup(earlier)).status).toBe(401);
    expect((await setup(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).status).toBe(
      401,
    );
    const [row] = await server.database.system(
      (tx) => tx.$queryRaw<{ seconds: number }[]>`
        SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds FROM setup_tokens`,
    );
    expect(row?.seconds).toBeGreaterThan(29 * 60);
    expect(row?.seconds).toBeLessThanOrEqual(30 * 60);
    await server.database.system((tx) =>
      tx.setupToken.updateMany({ data: { expiresAt: new Date(Date.now() - 1_000) } }),
    );
    const answer = await setup(token);
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
    expect(await server.database.system((tx) => tx.user.count())).toBe(0);
  });

  it('400: a bad body leaves the token as good as it was', async () => {
    server = await startServer();
    const token = await firstStart();
    const answer = await setup(token, { password: 'short', email: 'nobody' });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/email',
      '/password',
    ]);
    expect((await setup(token)).status).toBe(201);
  });
});

describe('the first start', () => {
  it('makes the administrator of the configuration, once', async () => {
    const admin = { email: 'root@example.com', password, organizationName: 'Configured' };
    server = await startServer({ admin });
    expect(await prepareFirstStart(server.app)).toEqual({});
    expect(await prepareFirstStart(server.app)).toEqual({});
    const { body } = await server.client.post('/v1/sessions', { email: admin.email, password });
    expect(body.user.instanceAdministrator).toBe(true);
    expect(body.organizations).toMatchObject([{ name: 'Configured', role: { key: 'owner' } }]);
    const counts = await server.database.system(async (tx) => [
      await tx.user.count(),
      await tx.organization.count(),
      await tx.setupToken.count(),
    ]);
    expect(counts).toEqual([1, 1, 0]);
    expect((await setup('anything')).status).toBe(404);
  });
});

describe('claviger reset-password', () => {
  it('sets the password, ends all sessions and says so on the trail', async () => {
    server = await startServer();
    const person = await aPerson(server, null);
    const hash = await new PasswordHasher().hash('recovered passphrase');
    expect(await resetPassword(server.database, person.email.toUpperCase(), hash)).toBe(true);
    expect((await person.client.get('/v1/me')).status).toBe(401);
    const { email } = person;
    const login = (secret: string) =>
      server.client.post('/v1/sessions', { email, password: secret });
    expect((await login(person.password)).status).toBe(401);
    expect((await login('recovered passphrase')).status).toBe(201);
    const [event] = await eventsOf(server, { chain: 'system', action: 'password.reset' });
    expect(event?.event).toMatchObject({
      actor: { type: 'system', id: null, name: 'Claviger' },
      targets: [{ type: 'user', id: person.id, name: person.name }],
    });
    expect(await resetPassword(server.database, 'nobody@example.com', hash)).toBe(false);
  });
});
