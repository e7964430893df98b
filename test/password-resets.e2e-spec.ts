import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { resetPassword } from '../src/auth/sessions.reset-password.js';
import { PasswordHasher } from '../src/crypto/password.js';
import { remember } from './canary.js';
import { anOrganization, aPerson, aServiceAccount, type TestPerson } from './factories.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import { asSeen } from './same-answer.js';
import { type MailServer, startMailServer, tokenIn } from './smtp.js';

const NEW = 'quite another passphrase';
remember(NEW);

let mail: MailServer;
let server: TestServer;

beforeAll(async () => {
  mail = await startMailServer();
  server = await startServer({ smtpUrl: mail.url, trustedProxies: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await server.close();
  await mail.close();
});

const ask = (email: string) => server.client.post('/v1/password-resets', { email });
const confirm = (token: string, password = NEW) =>
  server.client.post('/v1/password-resets/confirm', { token, password });
const login = (email: string, password: string) =>
  server.client.post('/v1/sessions', { email, password });

/** As if an hour had gone by. */
const endWindows = () =>
  server.database.system((tx) =>
    tx.attemptCounter.updateMany({ data: { endsAt: new Date(Date.now() - 1_000) } }),
  );

async function mailedToken(person: Pick<TestPerson, 'email'>): Promise<string> {
  expect((await ask(person.email)).status).toBe(202);
  return tokenIn(await mail.take(person.email));
}

describe('POST /v1/password-resets', () => {
  it('202: mails a link that works for an hour', async () => {
    const person = await aPerson(server, null);
    expect((await ask(person.email.toUpperCase())).status).toBe(202);
    const received = await mail.take(person.email);
    expect(received.mail.subject).toBe('Set a new password');
    expect(received.mail.text).toContain(
      `http://localhost:3000/password-reset#token=${tokenIn(received)}`,
    );
    const [row] = await server.database.system(
      (tx) => tx.$queryRaw<{ seconds: number }[]>`
        SELECT extract(epoch FROM expires_at - created_at)::float8 AS seconds FROM password_resets
        WHERE user_id = ${person.id}`,
    );
    expect(row?.seconds).toBeCloseTo(3_600, 0);
  });

  it('202: the same answer and as many events for somebody and for nobody', async () => {
    const person = await aPerson(server, null);
    const answers = [await ask(person.email), await ask('nobody@example.com')];
    expect(answers[0]?.status).toBe(202);
    expect(new Set(answers.map(asSeen)).size).toBe(1);
    const targets = [];
    for (const { headers } of answers) {
      const events = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
      expect(events.map(({ chain, action }) => [chain, action])).toEqual([
        ['system', 'password_reset.requested'],
        ['system', 'http.request'],
      ]);
      expect(events[0]?.event.actor.type).toBe('system');
      targets.push(events[0]?.event.targets);
    }
    expect(targets).toEqual([[{ type: 'user', id: person.id, name: person.name }], []]);
    await mail.take(person.email);
    expect(mail.received.some(({ to }) => to.includes('nobody@example.com'))).toBe(false);
  });

  it('429: a fourth request within an hour for one e-mail; the link of the third mail works', async () => {
    const person = await aPerson(server, null);
    const tokens = [];
    for (let round = 0; round < 3; round += 1) tokens.push(await mailedToken(person));
    const refused = await ask(person.email.toUpperCase());
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_password_resets']);
    expect(refused.body['violated-policies']).toEqual(['password-resets']);
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(3_500);
    expect(wait).toBeLessThanOrEqual(3_600);
    const requestId = refused.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ action, event }) => [action, event.outcome])).toEqual([
      ['http.request', 'denied'],
    ]);
    const [first = '', second = '', third = ''] = tokens;
    expect((await confirm(first)).status).toBe(404);
    expect((await confirm(second)).status).toBe(404);
    expect((await confirm(third)).status).toBe(204);
  });

  it('429: the same answer for somebody and for nobody', async () => {
    const person = await aPerson(server, null);
    const answers: Answer[] = [];
    for (const email of [person.email, 'nobody-at-all@example.com']) {
      for (let round = 0; round < 3; round += 1) expect((await ask(email)).status).toBe(202);
      answers.push(await ask(email));
    }
    expect(answers.map(({ status }) => status)).toEqual([429, 429]);
    const [one, two] = answers.map((answer) => {
      const wait = answer.headers.get('retry-after') ?? '';
      return asSeen(answer).replace(`["retry-after","${wait}"]`, '(wait)');
    });
    expect(one).toContain('(wait)');
    expect(one).toBe(two);
  });

  it('202 and 429: of many at once for one e-mail three are mailed', async () => {
    const person = await aPerson(server, null);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(person.email)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([202, 202, 202, 429, 429, 429, 429, 429]);
    const open = await server.database.system((tx) =>
      tx.passwordReset.findMany({ where: { userId: person.id } }),
    );
    expect(open).toHaveLength(3);
    expect(open.filter(({ endedAt }) => endedAt === null)).toHaveLength(1);
  });

  it('429: the 61st request within an hour from one address, whatever the e-mails', async () => {
    const from = (address: string, number: number) =>
      server.client.post(
        '/v1/password-resets',
        { email: `flood${number}@example.com` },
        { 'x-forwarded-for': address },
      );
    const answers = await Promise.all(
      // One network of an IPv6 subscriber.
      Array.from({ length: 60 }, (_, index) => from(`2001:db8:1:2::${index + 1}`, index)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const refused = await from('2001:db8:1:2:3::1', 60);
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_password_resets']);
    expect((await from('2001:db8:1:3::1', 60)).status).toBe(202);
    expect((await from('192.0.2.1', 61)).status).toBe(202);
    await endWindows();
    expect((await from('2001:db8:1:2:3::1', 62)).status).toBe(202);
  });

  it('202: what is counted is stored as an HMAC', async () => {
    expect((await ask('counted@example.com')).status).toBe(202);
    const counters = await server.database.system((tx) => tx.attemptCounter.findMany());
    expect(new Set(counters.map(({ keyHash }) => keyHash.length))).toEqual(new Set([32]));
  });

  it('202: without a mail server too', async () => {
    const silent = await startServer();
    const person = await aPerson(silent, null);
    const { email } = person;
    const answer = await silent.client.post('/v1/password-resets', { email });
    expect(answer.status).toBe(202);
    await silent.close();
  });

  it('400: what is no e-mail address', async () => {
    for (const email of ['nobody', '', null, 1, ['a@example.com'], 'a@example.com\r\nTo: b@c.de']) {
      const { status, body } = await server.client.post('/v1/password-resets', { email });
      expect([status, body.errors[0].pointer]).toEqual([400, '/email']);
    }
  });
});

describe('POST /v1/password-resets/confirm', () => {
  it('204: sets the password and ends all sessions', async () => {
    const person = await aPerson(server, null);
    const token = await mailedToken(person);
    const answer = await confirm(token);
    expect(answer.status).toBe(204);
    expect((await person.client.get('/v1/me')).status).toBe(401);
    expect((await login(person.email, person.password)).status).toBe(401);
    expect((await login(person.email, NEW)).status).toBe(201);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ action }) => action)).toEqual([
      'password.reset',
      'session.ended',
      'http.request',
    ]);
    expect(events[0]?.event.actor).toEqual({ type: 'user', id: person.id, name: person.name });
  });

  it('204: a user who was created without a password gets a first one', async () => {
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization, { role: 'provisioner' });
    const email = 'first-password@example.com';
    const body = { email, name: 'First', role: 'viewer' };
    expect((await account.client.post(`${organization.path}/users`, body)).status).toBe(201);
    expect((await confirm(await mailedToken({ email }))).status).toBe(204);
    const session = await login(email, NEW);
    const client = server.client.withToken(session.body.token);
    expect((await client.get(organization.path)).status).toBe(200);
  });

  it('204 and 404: of several at once exactly one wins', async () => {
    const person = await aPerson(server, null);
    const token = await mailedToken(person);
    const answers = await Promise.all(
      [1, 2, 3].map((number) => confirm(token, `${NEW} ${number}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
  });

  it('404: the same bytes for unknown, wrong, used, void and expired tokens', async () => {
    const [used, expired, voided] = [
      await aPerson(server, null),
      await aPerson(server, null),
      await aPerson(server, null),
    ];
    const tokens = [await mailedToken(used), await mailedToken(expired), await mailedToken(voided)];
    await confirm(tokens[0] ?? '');
    await server.database.system((tx) =>
      tx.passwordReset.updateMany({
        where: { userId: expired.id },
        data: { expiresAt: new Date(Date.now() - 1_000) },
      }),
    );
    await mailedToken(voided);
    const { tokenPrefix } = server.instance;
    const { id } = await server.database.system((tx) =>
      tx.passwordReset.findFirstOrThrow({ where: { userId: voided.id, endedAt: null } }),
    );
    const account = await aServiceAccount(server, await anOrganization(server));
    const forged = [
      createToken(tokenPrefix, 'reset', newId('rst')),
      createToken(tokenPrefix, 'reset', id),
      createToken(tokenPrefix, 'invitation', newId('inv')),
      account.token,
      'nonsense',
    ];
    const answers: Answer[] = [];
    for (const token of [...tokens, ...forged]) answers.push(await confirm(token));
    expect([answers[0]?.status, answers[0]?.body.code]).toEqual([404, 'not_found']);
    expect(new Set(answers.map(asSeen)).size).toBe(1);
    expect((await login(expired.email, expired.password)).status).toBe(201);
  });

  it('404: after the password was changed another way', async () => {
    const changed = await aPerson(server, null);
    const token = await mailedToken(changed);
    const change = { currentPassword: changed.password, newPassword: `${NEW}!` };
    expect((await changed.client.post('/v1/me/password', change)).status).toBe(204);
    expect((await confirm(token)).status).toBe(404);
    const recovered = await aPerson(server, null);
    const other = await mailedToken(recovered);
    await resetPassword(server.database, recovered.email, await new PasswordHasher().hash(NEW));
    expect((await confirm(other)).status).toBe(404);
  });

  it('400: a weak password leaves the token as good as it was', async () => {
    const person = await aPerson(server, null);
    const token = await mailedToken(person);
    const answer = await confirm(token, 'short');
    expect([answer.status, answer.body.errors[0].code]).toEqual([400, 'weak_password']);
    expect((await confirm(token)).status).toBe(204);
  });

  it('204: a reset does not let anybody in whom their organization has disabled', async () => {
    const person = await aPerson(server, await anOrganization(server), { status: 'disabled' });
    expect((await confirm(await mailedToken(person))).status).toBe(204);
    expect((await login(person.email, NEW)).status).toBe(401);
  });
});
