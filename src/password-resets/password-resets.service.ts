import { Inject, Injectable } from '@nestjs/common';
import { record } from '../audit/record.js';
import { type ActorRequest, SYSTEM_ACTOR } from '../auth/actor.js';
import { requireImpersonal } from '../auth/new-password.js';
import { setPassword } from '../auth/sessions.reset-password.js';
import { personActor } from '../auth/sessions.service.js';
import { lockPerson } from '../auth/sessions.sql.js';
import { CONFIG, type Config } from '../config.js';
import { newId } from '../crypto/id.js';
import { PasswordHasher } from '../crypto/password.js';
import { createToken, parseToken } from '../crypto/token.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { notFound } from '../http/problem.js';
import { type Mail, Mailer } from '../mail/mailer.js';
import { ResetAttempts } from './attempts.js';
import type {
  PasswordResetConfirmInput,
  PasswordResetInput,
  PasswordResetRequested,
} from './password-resets.dto.js';
import {
  findOpenReset,
  insertReset,
  type OpenReset,
  type ResetPerson,
} from './password-resets.sql.js';

/** Forgotten passwords, and first ones of people who were created without. */
@Injectable()
export class PasswordResetsService {
  private readonly attempts: ResetAttempts;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly passwords: PasswordHasher,
    private readonly mailer: Mailer,
  ) {
    this.attempts = new ResetAttempts(instance.secret.derive('password-reset-attempts'));
  }

  /**
   * Mails a reset token, good for an hour, if somebody has this e-mail. Answer and work are the same
   * whether anybody has: also the event, so that the commit writes to the disk either way, and
   * nobody waits for the mail. Errors: 429 for an e-mail or an address that was asked for too often.
   */
  async create(request: ActorRequest, input: PasswordResetInput): Promise<PasswordResetRequested> {
    const email = input.email.toLowerCase();
    const { tokenPrefix, pepper } = this.instance;
    const id = newId('rst');
    const token = createToken(tokenPrefix, 'reset', id);
    const tokenHash = new Uint8Array(pepper.hash('reset', token));
    const reset = { id, tokenHash, pepperVersion: pepper.version };
    const addressee = await this.database.system(async (tx) => {
      await this.attempts.count(tx, request.ip, email);
      const person = await insertReset(tx, email, reset);
      const targets =
        person === undefined ? [] : [{ type: 'user' as const, id: person.id, name: person.name }];
      // Whoever asks has proved nothing: the server does it, at their request.
      const actor = { ...SYSTEM_ACTOR, request };
      record(tx, actor, 'password_reset.requested', { organizationId: null, targets });
      return person;
    });
    if (addressee !== undefined) this.mailer.sendLater(this.mailTo(addressee, token));
    return { message: 'If somebody has this e-mail, a link is on its way.' };
  }

  /**
   * Sets a new password, once, and ends all sessions of the person. Errors: 404 for a token that is
   * unknown, used, void or expired; 400 `weak_password`; `PasswordsBusyError`.
   */
  async confirm(request: ActorRequest, input: PasswordResetConfirmInput): Promise<void> {
    // Hashing is expensive: whoever has no good token does not get that far.
    const reset = await this.database.system((tx) => this.openReset(tx, input.token));
    const { userId, email, name } = reset;
    requireImpersonal('/password', input.password, [email, name]);
    const passwordHash = await this.passwords.hash(input.password);
    await this.database.system(async (tx) => {
      const person = await lockPerson(tx, userId);
      if (person === undefined) throw noReset();
      // Of several at once the first ends the reset while the others wait for the person's row.
      await this.openReset(tx, input.token);
      await setPassword(tx, personActor(person, request), person, passwordHash);
    });
  }

  private async openReset(tx: Tx, token: string): Promise<OpenReset> {
    const { tokenPrefix, pepper } = this.instance;
    const parsed = parseToken(tokenPrefix, token);
    if (parsed?.family !== 'once') throw noReset();
    const found = await findOpenReset(tx, `rst_${parsed.suffix}`);
    const isRight = pepper.match('reset', token, found?.tokenHash) !== undefined;
    if (!isRight || found === undefined) throw noReset();
    return found;
  }

  /** Without the person's name: as long as nobody has proved the e-mail, it is what somebody else wants them to read. */
  private mailTo({ email }: ResetPerson, token: string): Mail {
    return {
      to: email,
      subject: 'Set a new password',
      text: `Hello,

somebody, probably you, asked for a new password of the account ${email}. Set it within an hour on this page:
${this.config.publicUrl}/password-reset#token=${token}

The link works once. If it was not you, ignore this mail: your password stays as it is.
`,
    };
  }
}

function noReset() {
  return notFound('password reset');
}
