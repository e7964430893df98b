import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { WantsCookie } from '../auth/logs-in.decorator.js';
import { IsNewPassword } from '../auth/new-password.js';
import { IsName } from '../http/validators.js';
import { IsEmailAddress } from '../users/email.js';

/** The first administrator and the first organization. */
export class SetupInput {
  /**
   * The one-time token of the link that the server printed when it started.
   * @example clvi_01k9x3m2v8f0jsn5w7d4t6qabc_0000000000000000000000000000000000000000000000000
   */
  @IsString()
  @MaxLength(128)
  token: string;

  @IsEmailAddress()
  email: string;

  @IsNewPassword()
  password: string;

  /** @example "Ada Lovelace" */
  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsName()
  name: string;

  /** @example Acme */
  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsName()
  organizationName: string;

  @WantsCookie()
  cookie?: boolean;
}
