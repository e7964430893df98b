import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { isEmail } from 'class-validator';
import { Check, fault } from '../http/validators.js';

const MAX_LENGTH = 254; // RFC 5321 section 4.5.3.1, less the angle brackets
const ASCII = /^[\x21-\x7e]+$/;

/**
 * An e-mail address of ASCII characters, as most mail servers take them. It is kept in lower case,
 * and only of ASCII do this program and every database make the same lower case.
 */
export function IsEmailAddress(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      type: 'string',
      format: 'email',
      maxLength: MAX_LENGTH,
      example: 'ada@example.com',
    }),
    Check('isEmailAddress', (value) => {
      if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
      if (value.length > MAX_LENGTH) {
        return fault('too_long', `Must have at most ${MAX_LENGTH} characters.`);
      }
      const isAddress = ASCII.test(value) && isEmail(value);
      return isAddress ? [] : fault('invalid_format', 'Must be an e-mail address.');
    }),
  );
}
