import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resetPassword } from '../src/auth/sessions.reset-password.js';
import { PasswordHasher } from '../src/crypto/password.js';
import { remember } from './canary.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  PASSWORD,
  type TestOrganization,
} from './factories.js';
import { type Client, startServer, type TestServer } from './harness.js';
import { type MailServer, startMailServer, tokenIn } from './smtp.js';

/** What somebody sets who holds the link of an invitation, and may not be whom it is for. */
const HOLDERS = 'the passphrase of whoever holds the link';
/** What the person sets who reads the mail. */
const READERS = 'the passphrase of whoever reads the mail';
remember(HOLDERS);
remember(READERS);

interface Tenant {
  organization: TestOrganization;
  /** Of a provisioner. */
  client: Client;
}

let mail: MailServer;
let server: TestServer;
/** Invites people and keeps the links. */
let theirs: Tenant;
/** Lets people in by their e-mail alone. */
let ours: Tenant;
let counter = 0;

beforeAll(async () => {
  mail = await startMailServer();
  server = await startServer({ smtpUrl: mail.url });
  [theirs, ours] = [await aTenant(), await aTenant()];
});
afterAll(async () => {
  await server.close();
  await mail.close();
});

async function aTenant(): Promise<Tenant> {
  const organization = await anOrganization(server);
  const { client } = await aServiceAccount(server, organization, { role: 'provisioner' });
  return { organization, client };
}

const anEmail = () => `victim${(counter += 1)}@example.com`;
const letIn = ({ organization, client }: Tenant, email: string, changes: object = {}) =>
  client.post(`${organization.path}/users`, { email, name: 'V', role: 'viewer', ...changes });
const accept = (token: string, client = server.client) =>
  client.post('/v1/invitations/accept', {
    token,
    ...(client.token === undefined ? { password: HOLDERS } : {}),
  });
const login = (email: string, password: string) =>
  server.client.post('/v1/sessions', { email, password });
const statusOf = async (client: Client, { organization }: Tenant) =>
  (await client.get(organization.path)).status;

/** Somebody who accepted with the link that the organization was shown. */
async function aHolder(email: string): Promise<Client> {
  const { body } = await letIn(theirs, email, { invite: true });
  const accepted = await accept(body.invitation.token);
  expect(accepted.status).toBe(200);
  return server.client.withToken(accepted.body.token);
}

/** The token of the next mail of this kind. */
async function mailedToken(email: string, subject: RegExp): Promise<string> {
  for (;;) {
    const received = await mail.take(email);
    if (subject.test(received.mail.subject ?? '')) return tokenIn(received);
  }
}

async function resetByMail(email: string): Promise<number> {
  await server.client.post('/v1/password-resets', { email });
  const token = await mailedToken(email, /password/);
  const body = { token, password: READERS };
  return (await server.client.post('/v1/password-resets/confirm', body)).status;
}

describe('a password that was set with the link an organization was shown', () => {
  it('opens that organization, and none that lets the person in by their e-mail alone', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    expect((await letIn(ours, email, { role: 'provisioner' })).status).toBe(201);
    expect(await statusOf(holder, ours)).toBe(404);
    expect(await statusOf(holder, theirs)).toBe(200);
    const again = await login(email, HOLDERS);
    for (const { organizations } of [again.body, (await holder.get('/v1/me')).body]) {
      expect(organizations.map(({ id }: { id: string }) => id)).toEqual([theirs.organization.id]);
    }
  });

  it('opens none of a person whom an import makes a user either', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    const path = `${ours.organization.path}/users/import`;
    const row = JSON.stringify({ email, name: 'V', role: 'viewer' });
    const headers = { 'content-type': 'application/x-ndjson' };
    expect((await ours.client.post(path, `${row}\n`, headers)).status).toBe(200);
    const { body } = await ours.client.get(`${ours.organization.path}/users?search=${email}`);
    expect(body.data[0].status).toBe('active');
    expect(await statusOf(holder, ours)).toBe(404);
  });

  it('opens none that is being entered in the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const email = anEmail();
      const { body } = await letIn(theirs, email, { invite: true });
      const [accepted, made] = await Promise.all([
        accept(body.invitation.token),
        letIn(ours, email),
      ]);
      expect(made.status).toBe(201);
      // Whoever comes too late is told to log in.
      expect([200, 401]).toContain(accepted.status);
      if (accepted.status === 200) {
        expect(await statusOf(server.client.withToken(accepted.body.token), ours)).toBe(404);
      }
    }
  });

  it('opens none that had invited the person, disabled them and enables them', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    const { body } = await letIn(ours, email, { invite: true });
    const path = `${ours.organization.path}/users/${body.id}`;
    await ours.client.post(`${path}/disable`);
    expect((await ours.client.post(`${path}/enable`)).body.status).toBe('active');
    expect(await statusOf(holder, ours)).toBe(404);
  });

  it('is worth nothing, and its sessions have ended, once the person resets it by mail', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    await letIn(ours, email);
    expect(await resetByMail(email)).toBe(204);
    expect((await holder.get('/v1/me')).status).toBe(401);
    expect((await login(email, HOLDERS)).status).toBe(401);
    const { body } = await login(email, READERS);
    expect(body.organizations.map(({ id }: { id: string }) => id)).toEqual([
      theirs.organization.id,
      ours.organization.id,
    ]);
    expect(await statusOf(server.client.withToken(body.token), ours)).toBe(200);
  });

  it('cannot be changed to void the mail with which the person resets it', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    await server.client.post('/v1/password-resets', { email });
    const token = await mailedToken(email, /password/);
    const change = { currentPassword: HOLDERS, newPassword: `${HOLDERS}!` };
    expect((await holder.post('/v1/me/password', change)).status).toBe(204);
    const confirm = { token, password: READERS };
    expect((await server.client.post('/v1/password-resets/confirm', confirm)).status).toBe(204);
    expect((await login(email, READERS)).status).toBe(201);
  });

  it('opens an organization whose own invitation is accepted with it, and no other', async () => {
    const third = await aTenant();
    const email = anEmail();
    const holder = await aHolder(email);
    const { body } = await letIn(ours, email, { invite: true });
    await letIn(third, email);
    expect((await accept(body.invitation.token, holder)).status).toBe(200);
    expect(await statusOf(holder, ours)).toBe(200);
    expect(await statusOf(holder, third)).toBe(404);
  });
});

describe('somebody who reads the mail', () => {
  it('is let in by their e-mail alone after the link of a mailed invitation', async () => {
    const email = anEmail();
    const { body } = await letIn(theirs, email, { invite: true });
    const token = await mailedToken(email, /Invitation/);
    expect(token).not.toBe(body.invitation.token);
    const accepted = await accept(token);
    expect(accepted.status).toBe(200);
    await letIn(ours, email);
    expect(await statusOf(server.client.withToken(accepted.body.token), ours)).toBe(200);
  });

  it('is let in by it too when they were logged in already', async () => {
    const third = await aTenant();
    const email = anEmail();
    const client = await aHolder(email);
    await letIn(ours, email);
    await letIn(third, email, { invite: true });
    await mailedToken(email, /Invitation/);
    const token = await mailedToken(email, /Invitation/);
    expect((await accept(token, client)).status).toBe(200);
    expect(await statusOf(client, ours)).toBe(200);
  });

  it('has one invitation, whichever of the two links is used', async () => {
    const email = anEmail();
    const { body } = await letIn(theirs, email, { invite: true });
    expect((await accept(body.invitation.token)).status).toBe(200);
    expect((await accept(await mailedToken(email, /Invitation/))).status).toBe(404);
  });

  it('cannot use the mailed link any more once the invitation is sent again', async () => {
    const email = anEmail();
    const { body } = await letIn(theirs, email, { invite: true });
    const path = `${theirs.organization.path}/invitations/${body.invitation.id}/resend`;
    expect((await theirs.client.post(path)).status).toBe(200);
    const first = await mailedToken(email, /Invitation/);
    const second = await mailedToken(email, /Invitation/);
    expect((await accept(first)).status).toBe(404);
    expect((await accept(second)).status).toBe(200);
  });

  it('is believed when the operator of the server sets their password', async () => {
    const email = anEmail();
    const holder = await aHolder(email);
    await letIn(ours, email);
    await resetPassword(server.database, email, await new PasswordHasher().hash(READERS));
    expect((await holder.get('/v1/me')).status).toBe(401);
    const { body } = await login(email, READERS);
    expect(await statusOf(server.client.withToken(body.token), ours)).toBe(200);
  });

  it('is let in by it as the first administrator of the server', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    await letIn(ours, administrator.email);
    expect(await statusOf(administrator.client, ours)).toBe(200);
    expect((await login(administrator.email, PASSWORD)).body.organizations).toHaveLength(1);
  });
});
