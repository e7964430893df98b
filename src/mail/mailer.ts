import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { CONFIG, type Config } from '../config.js';
import { toHtml } from './html.js';

/** One mail. `to` is one address; nothing of it is read as more than that. */
export interface Mail {
  to: string;
  subject: string;
  /** Paragraphs with an empty line between; a line that is a web address becomes a link in HTML. */
  text: string;
}

/** A mail server that says nothing for this long is given up, in milliseconds. */
const STEP_MS = 4_000;
/** In all, for one mail. */
const PATIENCE_MS = 8_000;
/** How long a server that stops waits for its last mails. */
const SHUTDOWN_MS = 3_000;
/** Beyond that mails are refused, so that a slow mail server does not fill the memory. */
const MAX_SENDING = 32;

/** Control characters and line separators: what could begin another header or SMTP command. */
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu;

/**
 * Sends mails through the server of SMTP_URL. To be called after a change has been committed, never
 * inside a transaction. It never throws: a mail is no reason for a change to fail.
 */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly logger = new Logger('Mailer');
  private readonly transport: ReturnType<typeof openTransport> | undefined;
  private readonly from: string;
  private readonly sending = new Set<Promise<boolean>>();

  constructor(@Inject(CONFIG) config: Config) {
    this.from = senderOf(config);
    this.transport = config.smtpUrl === undefined ? undefined : openTransport(config.smtpUrl);
  }

  /** Says whether the mail server has taken the mail; false at once when there is none. */
  async send(mail: Mail): Promise<boolean> {
    const { transport } = this;
    if (transport === undefined || !isAddress(mail.to)) return false;
    if (this.sending.size >= MAX_SENDING) {
      this.logger.warn('mail not sent: too many are being sent');
      return false;
    }
    const sent = this.deliver(transport, mail);
    this.sending.add(sent);
    return sent.finally(() => this.sending.delete(sent));
  }

  /** Sends without anybody waiting for it, so that no answer tells by its time that there is a mail. */
  sendLater(mail: Mail): void {
    void this.send(mail);
  }

  /** Waits a while for the mails that are being sent. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.race([Promise.all(this.sending), delay(SHUTDOWN_MS, undefined, { ref: false })]);
    this.transport?.close();
  }

  private async deliver(
    transport: ReturnType<typeof openTransport>,
    { to, subject, text }: Mail,
  ): Promise<boolean> {
    try {
      await transport.sendMail({
        from: this.from,
        // As objects: in a string, commas and brackets would be read as further addresses.
        to: { name: '', address: to },
        subject: subject.replace(BREAKS, ' '),
        text,
        html: toHtml(text),
        // Closes the connection too: a mail server that goes on talking would keep it for ever.
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return true;
    } catch (error) {
      // Its message may repeat addresses and what the mail server said to them.
      this.logger.warn(`mail not sent: ${(error as NodeJS.ErrnoException).code ?? 'no answer'}`);
      return false;
    }
  }
}

/** MAIL_FROM, else `from` in the query of SMTP_URL, else an address of the server's own host. */
function senderOf({ mailFrom, smtpUrl, publicUrl }: Config): string {
  const inUrl = smtpUrl === undefined ? null : new URL(smtpUrl).searchParams.get('from');
  const sender = mailFrom ?? inUrl ?? `Claviger <no-reply@${new URL(publicUrl).hostname}>`;
  return sender.replace(BREAKS, ' ');
}

function openTransport(smtpUrl: string) {
  const url = new URL(smtpUrl);
  url.searchParams.delete('from');
  return createTransport({
    url: url.href,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Addresses come from the database, where only such ones get; a mail is no place to trust that. */
function isAddress(text: string): boolean {
  return /^[\x21-\x7e]+@[\x21-\x7e]+$/.test(text) && !/[<>,;:"]/.test(text);
}
