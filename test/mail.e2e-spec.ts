import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import { newId } from '../src/crypto/id.js';
import { CONFIG, type Config } from '../src/config.js';
import { Mailer } from '../src/mail/mailer.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { type MailServer, type MailServerOptions, startMailServer, tokenIn } from './smtp.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aMailServer(options?: MailServerOptions): Promise<MailServer> {
  const mail = await startMailServer(options);
  closing.push(() => mail.close());
  return mail;
}

async function aServer(config: Partial<Config>): Promise<TestServer> {
  const server = await startServer(config);
  closing.push(() => server.close());
  return server;
}

async function inviteOn(server: TestServer, name = 'Acme', changes: object = {}) {
  const organization = await anOrganization(server, { name });
  const account = await aServiceAccount(server, organization, {
    role: 'provisioner',
    name: 'Directory <b>Sync</b>',
  });
  const path = `${organization.path}/invitations`;
  const body = { email: 'grace@example.com', name: 'Grace', role: 'viewer', ...changes };
  return { organization, path, account, answer: await account.client.post(path, body) };
}

describe('the mail of an invitation', () => {
  it('reaches the person, in plain text and HTML, with a link that works', async () => {
    const mail = await aMailServer();
    const server = await aServer({
      smtpUrl: mail.url,
      mailFrom: 'Acme Keys <keys@acme.example>',
      publicUrl: 'https://keys.acme.example',
    });
    const { answer } = await inviteOn(server);
    expect([answer.status, answer.body.mailed]).toEqual([201, true]);
    const received = await mail.take('grace@example.com');
    expect(received).toMatchObject({ from: 'keys@acme.example', to: ['grace@example.com'] });
    expect(received.mail.from?.text).toBe('"Acme Keys" <keys@acme.example>');
    expect(received.mail.subject).toBe('Invitation to Acme');
    const token = tokenIn(received);
    const link = `https://keys.acme.example/invitation#token=${token}`;
    expect(received.mail.text).toContain(`\n${link}\n`);
    expect(received.mail.text).not.toContain(answer.body.token);
    expect(received.mail.text).toContain('Directory <b>Sync</b> invites you to Acme.');
    expect(received.mail.html).toContain(`<a href="${link}">`);
    expect(received.mail.html).toContain('Directory &lt;b&gt;Sync&lt;/b&gt; invites');
    expect(received.mail.html).not.toContain('<b>');
    const password = 'a long enough passphrase';
    expect((await server.client.post('/v1/invitations/accept', { token, password })).status).toBe(
      200,
    );
  });

  it('goes again with another link when it is sent again', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: `${mail.url}?from=in-url@acme.example` });
    const { answer, path, account } = await inviteOn(server);
    const again = await account.client.post(`${path}/${answer.body.id}/resend`);
    expect([again.status, again.body.mailed]).toEqual([200, true]);
    const [first, second] = [
      await mail.take('grace@example.com'),
      await mail.take('grace@example.com'),
    ];
    const tokens = [answer.body.token, again.body.token, tokenIn(first), tokenIn(second)];
    expect(new Set(tokens).size).toBe(4);
    expect(first.from).toBe('in-url@acme.example');
  });

  it('is the same for somebody who is here already', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url });
    const known = await aPerson(server, await anOrganization(server), { name: 'Own Name' });
    const { account, path, answer } = await inviteOn(server);
    const second = await account.client.post(path, {
      email: known.email,
      name: 'Grace',
      role: 'viewer',
    });
    const texts = [];
    for (const { body } of [answer, second]) {
      const received = await mail.take(body.email);
      const { subject, text } = received.mail;
      texts.push(`${subject}\n${text}`.replaceAll(tokenIn(received), '(token)'));
    }
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('somebody who is invited again and again', () => {
  it('gets ten mails an hour, and still those for a new password', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url });
    const { path, account, answer } = await inviteOn(server);
    const mailed = [answer.body.mailed];
    for (let round = 0; round < 10; round += 1) {
      mailed.push((await account.client.post(`${path}/${answer.body.id}/resend`)).body.mailed);
    }
    expect(mailed).toEqual([...Array<boolean>(10).fill(true), false]);
    expect(server.logs()).toContain('mail not sent: too many invitations');
    const body = { email: 'heidi@example.com', name: 'Heidi', role: 'viewer' };
    expect((await account.client.post(path, body)).body.mailed).toBe(true);
    await server.client.post('/v1/password-resets', { email: 'grace@example.com' });
    for (let round = 0; round < 10; round += 1) await mail.take('grace@example.com');
    const { subject, text } = (await mail.take('grace@example.com')).mail;
    expect(subject).toBe('Set a new password');
    // The name may be what somebody else wants to tell them.
    expect(text).not.toContain('Grace');
  });
});

describe('the trail, and the answer to a retry,', () => {
  const retry = async (server: TestServer) => {
    const { path, account, organization, answer } = await inviteOn(server, 'Acme', {
      email: 'before@example.com',
    });
    expect(answer.status).toBe(201);
    const headers = { 'idempotency-key': newId('req') };
    const body = { email: 'grace@example.com', name: 'Grace', role: 'viewer' };
    const answers = [
      await account.client.post(path, body, headers),
      await account.client.post(path, body, headers),
    ];
    const events = await eventsOf(server, {
      chain: organization.id,
      action: 'invitation.mailed',
    });
    return { answers, events, account };
  };

  it('say that an invitation was mailed: once', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url });
    const { answers, events, account } = await retry(server);
    expect(answers.map(({ status, body }) => [status, body.mailed])).toEqual([
      [201, true],
      [201, true],
    ]);
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    expect(mail.received.map(({ to }) => to)).toEqual([
      ['before@example.com'],
      ['grace@example.com'],
    ]);
    expect(events).toHaveLength(2);
    expect(events[1]?.event).toMatchObject({
      actor: { id: account.id },
      key: { id: account.keyId },
      targets: [{ type: 'invitation', id: answers[0]?.body.id, name: 'Grace' }],
      requestId: answers[0]?.headers.get('x-request-id'),
    });
  });

  it('say nothing of the kind when it was not', async () => {
    const mail = await aMailServer({ refuses: 'grace@example.com' });
    const server = await aServer({ smtpUrl: mail.url });
    const { answers, events } = await retry(server);
    expect(answers.map(({ body }) => body.mailed)).toEqual([false, false]);
    expect(events).toHaveLength(1);
  });
});

describe('a mail that cannot be sent', () => {
  it('does not fail the request: nobody listens, and nothing secret is logged', async () => {
    const server = await aServer({ smtpUrl: 'smtp://user:pass-in-url@127.0.0.1:1' });
    const { answer } = await inviteOn(server);
    expect([answer.status, answer.body.mailed]).toEqual([201, false]);
    expect(server.logs()).toContain('mail not sent: ESOCKET');
    expect(server.logs()).not.toMatch(/pass-in-url|grace@example\.com/);
  });

  it('does not fail the request: the mail server refuses the recipient', async () => {
    const mail = await aMailServer({ refuses: 'grace@example.com' });
    const server = await aServer({ smtpUrl: mail.url });
    const { answer } = await inviteOn(server);
    expect([answer.status, answer.body.mailed]).toEqual([201, false]);
    expect(server.logs()).toContain('mail not sent: EENVELOPE');
    expect(server.logs()).not.toContain('grace@example.com');
  });

  it('does not hold the request or anybody else up for long: a mail server that says nothing', async () => {
    const sockets = new Set<Socket>();
    const mute: Server = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => mute.close(resolve));
    });
    const { port } = mute.address() as { port: number };
    const server = await aServer({ smtpUrl: `smtp://127.0.0.1:${port}` });
    const start = performance.now();
    const invited = inviteOn(server);
    // The change is committed and its transaction over while the mail still waits.
    const person = await aPerson(server, null);
    expect((await person.client.get('/v1/me')).status).toBe(200);
    const reset = await server.client.post('/v1/password-resets', { email: person.email });
    expect(reset.status).toBe(202);
    expect(performance.now() - start).toBeLessThan(3_000);
    const { answer } = await invited;
    expect([answer.status, answer.body.mailed]).toEqual([201, false]);
    expect(performance.now() - start).toBeLessThan(9_000);
  });
});

describe('a mail server that always says a little more', () => {
  it('is given up like one that says nothing, and its connection is closed', async () => {
    const closed: Promise<unknown>[] = [];
    const chatty: Server = createServer((socket) => {
      closed.push(new Promise((resolve) => socket.on('close', resolve)));
      const talk = setInterval(() => socket.write('250-one more thing\r\n'), 500);
      socket.on('error', () => undefined).on('close', () => clearInterval(talk));
      socket.write('220 chatty.example\r\n');
    });
    await new Promise<void>((resolve) => void chatty.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => chatty.close(resolve)));
    const { port } = chatty.address() as { port: number };
    const server = await aServer({ smtpUrl: `smtp://127.0.0.1:${port}` });
    const { answer } = await inviteOn(server);
    expect([answer.status, answer.body.mailed]).toEqual([201, false]);
    expect(closed).toHaveLength(1);
    await Promise.all(closed);
  });
});

describe('Mailer', () => {
  it('sends nothing but the one mail, whatever stands in its fields', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url });
    const mailer = server.app.get(Mailer, { strict: false });
    const evil = 'Hi\r\nBcc: evil@example.com\r\n\r\nbody\u2028\u0000';
    expect(await mailer.send({ to: 'a@example.com', subject: evil, text: evil })).toBe(true);
    const received = await mail.take('a@example.com');
    expect(received.to).toEqual(['a@example.com']);
    expect([...received.mail.headers.keys()].sort()).toEqual(
      ['content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'].sort(),
    );
    expect(received.mail.subject).toBe('Hi Bcc: evil@example.com body');
    for (const to of [
      'a@example.com\r\nRCPT TO:<evil@example.com>',
      'a@example.com, evil@example.com',
      'a@example.com>',
      '"x" <evil@example.com>',
      '',
    ]) {
      expect(await mailer.send({ to, subject: 'x', text: 'x' })).toBe(false);
    }
    expect(mail.received).toHaveLength(1);
  });

  it('refuses more mails at once than it keeps in mind, and sends what it took before it stops', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url });
    const mailer = server.app.get(Mailer, { strict: false });
    const sent = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        mailer.send({ to: `many${index}@example.com`, subject: 'x', text: 'x' }),
      ),
    );
    expect(sent.filter(Boolean)).toHaveLength(32);
    expect(mail.received).toHaveLength(32);
    mailer.sendLater({ to: 'last@example.com', subject: 'x', text: 'x' });
    await mailer.onApplicationShutdown();
    expect(mail.received.at(-1)?.to).toEqual(['last@example.com']);
  });

  it('is from an address of the server’s own host unless told otherwise', async () => {
    const mail = await aMailServer();
    const server = await aServer({ smtpUrl: mail.url, publicUrl: 'https://keys.acme.example' });
    expect(server.app.get<Config>(CONFIG).mailFrom).toBeUndefined();
    await inviteOn(server);
    expect((await mail.take('grace@example.com')).from).toBe('no-reply@keys.acme.example');
  });
});
