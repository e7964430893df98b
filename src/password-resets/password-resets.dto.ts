import { IsString, MaxLength } from 'class-validator';
import { IsNewPassword } from '../auth/new-password.js';
import { IsEmailAddress } from '../users/email.js';

/** Whose password is forgotten. */
export class PasswordResetInput {
  @IsEmailAddress()
  email: string;
}

/** The same answer for everybody. */
export class PasswordResetRequested {
  /** @example "If somebody has this e-mail, a link is on its way." */
  message: string;
}

/** A new password, by the token of the mail. */
export class PasswordResetConfirmInput {
  /**
   * The token of the link in the mail.
   * @example clvi_01k9x3m2v8f0jsn5w7d4t6qabc_0000000000000000000000000000000000000000000000000
   */
  @IsString()
  @MaxLength(128)
  token: string;

  @IsNewPassword()
  password: string;
}
