import { fault, type FieldCheck } from '../http/validators.js';

const MAX_LENGTH = 2000;

/**
 * The check of an address that people will click on: absolute, http or https, without a user name or
 * password in it, and nothing that a URL parser would silently repair.
 */
export const webAddressFaults: FieldCheck = (value) => {
  if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
  if (value.length > MAX_LENGTH) {
    return fault('too_long', `Must have at most ${MAX_LENGTH} characters.`);
  }
  return isWebAddress(value)
    ? []
    : fault('invalid_format', 'Must be an http or https address, without a password in it.');
};

function isWebAddress(text: string): boolean {
  if (!/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
