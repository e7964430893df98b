import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PasswordHasher } from '../src/crypto/password.js';
import { prepareFirstStart } from '../src/setup/first-start.js';
import { remember } from './canary.js';
import { anOrganization, aPerson, PASSWORD } from './factories.js';
import { type Answer, errorsOf, startServer, type TestServer } from './harness.js';
import { type MailServer, startMailServer, tokenIn } from './smtp.js';

/** In every list; 12 characters, of all kinds. */
const COMMON = 'Password123!';
const EMAIL = 'ada.lovelace@example.com';
/** An e-mail and a name of hers, with a little around it. */
const PERSONAL = ['Ada.Lovelace@example.com', 'Ada-Lovelace-1815'];

let mail: MailServer;
let server: TestServer;
let setupToken: string;

beforeAll(async () => {
  mail = await startMailServer();
  server = await startServer({ smtpUrl: mail.url });
  setupToken = (await prepareFirstStart(server.app)).setupLink?.split('#token=')[1] ?? '';
  remember(setupToken);
});
afterAll(async () => {
  await server.close();
  await mail.close();
});

/** Tries weak ones, each of which must be named, and then a good one. */
async function expectRefused(pointer: string, set: (password: string) => Promise<Answer>) {
  for (const password of [COMMON, ...PERSONAL]) {
    expect(errorsOf(await set(password))).toEqual([400, [[pointer, 'weak_password']]]);
  }
  expect((await set('a quite good passphrase')).status).toBeLessThan(300);
}

describe('a weak password', () => {
  // First, because it needs a server without people.
  it('400: at the set-up, also the organization’s name', async () => {
    const person = { email: EMAIL, name: 'Ada Lovelace', organizationName: 'Acme Widgets' };
    const set = (password: string) =>
      server.client.post('/v1/setup', { token: setupToken, password, ...person });
    expect(errorsOf(await set('acme widgets 1'))).toEqual([400, [['/password', 'weak_password']]]);
    await expectRefused('/password', set);
  });

  it('400: with an invitation, also the name that is given with it', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const { body } = await owner.client.post(`${organization.path}/invitations`, {
      email: 'ada-lovelace@example.org',
      name: 'Somebody',
      role: 'viewer',
    });
    await expectRefused('/password', (password) =>
      server.client.post('/v1/invitations/accept', {
        token: body.token,
        password,
        name: 'Ada Lovelace@example.com',
      }),
    );
  });

  it('400: with the link of a mail, which stays good', async () => {
    const person = await aPerson(server, null, { email: 'ada.lovelace@example.net', name: 'Ada' });
    await server.client.post('/v1/password-resets', { email: person.email });
    const token = tokenIn(await mail.take(person.email));
    const set = (password: string) =>
      server.client.post('/v1/password-resets/confirm', { token, password });
    expect(errorsOf(await set(person.email))).toEqual([400, [['/password', 'weak_password']]]);
    expect(errorsOf(await set(COMMON))).toEqual([400, [['/password', 'weak_password']]]);
    expect((await set('a quite good passphrase')).status).toBe(204);
  });

  it('400: at a change, which tells nothing of the current one', async () => {
    const { client } = await aPerson(server, null, { name: 'Ada Lovelace' });
    for (const currentPassword of ['not the password', PASSWORD]) {
      for (const newPassword of [COMMON, 'ada lovelace', 'Ada Lovelace 1815']) {
        const answer = await client.post('/v1/me/password', { currentPassword, newPassword });
        expect(errorsOf(answer)).toEqual([400, [['/newPassword', 'weak_password']]]);
      }
    }
  });

  it('201: still logs in who has had it', async () => {
    const { id, email } = await aPerson(server, null);
    const passwordHash = await new PasswordHasher().hash('password');
    await server.database.system((tx) => tx.user.update({ where: { id }, data: { passwordHash } }));
    const answer = await server.client.post('/v1/sessions', { email, password: 'password' });
    expect(answer.status).toBe(201);
  });
});
