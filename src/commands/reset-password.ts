import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { resetPassword } from '../auth/sessions.reset-password.js';
import { passwordFault } from '../crypto/password-rules.js';
import { PasswordHasher } from '../crypto/password.js';
import { DatabaseService } from '../database/database.service.js';
import { CommandError } from './command-error.js';
import { withFoundation } from './foundation.js';

const GENERATED_BYTES = 18;

/** `claviger reset-password`: sets a new random password and prints it, or sets the one of standard input. */
export async function resetPasswordCommand(email: string, readsPassword: boolean): Promise<void> {
  const password = readsPassword ? await passwordFromStdin(email) : newPassword();
  await withFoundation(async (foundation) => {
    const passwordHash = await foundation.get(PasswordHasher).hash(password);
    const isReset = await resetPassword(foundation.get(DatabaseService), email, passwordHash);
    if (!isReset) throw new CommandError(`There is no user with the e-mail ${email}.`);
  });
  process.stdout.write(readsPassword ? 'The password is set.\n' : `${password}\n`);
}

async function passwordFromStdin(email: string): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  const fault = passwordFault(password, [email]);
  if (fault !== undefined) throw new CommandError(`The password ${fault}.`);
  return password;
}

/** 144 random bits, in characters that survive being copied from a terminal. */
function newPassword(): string {
  return randomBytes(GENERATED_BYTES).toString('base64url');
}
