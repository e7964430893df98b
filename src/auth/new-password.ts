import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { passwordFault } from '../crypto/password-rules.js';
import { invalid } from '../http/problem.js';
import { Check, fault } from '../http/validators.js';

const DESCRIPTION =
  '12 to 256 Unicode characters of any kind. Not one of those that everybody tries first, nor an e-mail or a name that belongs to the person: 400 `weak_password`.';

/** A password that somebody wants to have. Whose it is to be is for {@link requireImpersonal}. */
export function IsNewPassword(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      type: 'string',
      format: 'password',
      minLength: 12,
      maxLength: 256,
      example: 'correct horse battery staple',
      description: DESCRIPTION,
    }),
    Check('isNewPassword', (value) => {
      if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
      const found = passwordFault(value);
      return found === undefined ? [] : fault(WEAK, sentence(found));
    }),
  );
}

const WEAK = 'weak_password';

/**
 * A new password must not be the e-mail, the name or the organization of the person who sets it. Errors: 400 `weak_password` on
 * this field. To be called before it is hashed.
 */
export function requireImpersonal(pointer: string, password: string, personal: string[]): void {
  const found = passwordFault(password, personal);
  if (found !== undefined) throw invalid({ pointer, code: WEAK, detail: sentence(found) });
}

function sentence(found: string): string {
  return `The password ${found}.`;
}
