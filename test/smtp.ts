import { type ParsedMail, simpleParser } from 'mailparser';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { remember } from './canary.js';

/** A mail as the server took it. */
export interface ReceivedMail {
  /** Of the envelope, which is what decides where a mail goes. */
  from: string;
  to: string[];
  mail: ParsedMail;
  raw: string;
}

/** A real SMTP server on a free port. */
export interface MailServer {
  /** For SMTP_URL. */
  url: string;
  received: ReceivedMail[];
  /** The next mail for an address that `take` has not answered before; waits until it is there. */
  take(to: string): Promise<ReceivedMail>;
  close(): Promise<void>;
}

/** How the server is to behave. */
export interface MailServerOptions {
  /** Takes nothing for these recipients. */
  refuses?: string;
}

/** Starts an SMTP server without TLS or logins. Tokens in its mails are searched for as all others. */
export async function startMailServer({ refuses }: MailServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const taken = new Set<ReceivedMail>();
  let wake: (() => void)[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: ({ address }, _session, callback) =>
      callback(address === refuses ? new Error('no such mailbox') : null),
    onData: (stream, { envelope }, callback) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const raw = Buffer.concat(chunks).toString('utf8');
        const mail = await simpleParser(raw);
        for (const [token] of (mail.text ?? '').matchAll(/clvi_\w+/g)) remember(token);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        received.push({ from, to: envelope.rcptTo.map(({ address }) => address), mail, raw });
        callback();
        for (const waiting of wake.splice(0)) waiting();
      })();
    },
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    take: async (to) => {
      for (;;) {
        const found = received.find((one) => one.to.includes(to) && !taken.has(one));
        if (found) {
          taken.add(found);
          return found;
        }
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    close: () => {
      wake = [];
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** The one-time token in a mail's link. */
export function tokenIn({ mail }: ReceivedMail): string {
  const [, token] = /#token=(\w+)/.exec(mail.text ?? '') ?? [];
  if (token === undefined) throw new Error('the mail has no link');
  return token;
}
