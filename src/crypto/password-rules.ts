import { createRequire } from 'node:module';
import type * as LanguageCommon from '@zxcvbn-ts/language-common';

const MIN_LENGTH = 12;
const MAX_LENGTH = 256;
/** What people put before and behind a word to make it long enough: `Summer-2026!`. */
const MAX_DECORATION = 6;

let common: Set<string> | undefined;

/**
 * About 49,000 passwords of published leaks, in lower case. Read when a password is first chosen: most processes never see that,
 * and those that read their configuration least of all.
 */
function commonPasswords(): Set<string> {
  if (common === undefined) {
    const require = createRequire(import.meta.url);
    const { dictionary } = require('@zxcvbn-ts/language-common') as typeof LanguageCommon;
    common = new Set(dictionary['passwords-common']);
  }
  return common;
}

/**
 * Says what is wrong with a new password, as the end of a sentence about it, or `undefined` when it will do: 12 to 256 Unicode
 * characters, not one of those that everybody tries first, and no rules of composition (NIST SP 800-63B-4 §3.1.1.2). `personal`
 * is what else would be tried: the person's e-mail and name, and the organization's.
 */
export function passwordFault(
  password: string,
  personal: readonly string[] = [],
): string | undefined {
  if (/\p{Surrogate}/u.test(password)) return 'must be valid Unicode text';
  const length = lengthOf(password);
  if (length < MIN_LENGTH) return `must have at least ${MIN_LENGTH} characters`;
  if (length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  const folded = fold(password);
  if (isSequence(folded)) return 'must not be a row of characters that follow each other';
  if (lengthOf(unitOf(folded)) < MIN_LENGTH) return 'must not repeat something shorter';
  const gist = gistsOf(folded);
  if (gist.some((one) => commonPasswords().has(one))) return 'must not be one that many people use';
  const own = new Set(['claviger', ...personal.flatMap(wordsOf)]);
  if (gist.some((one) => own.has(one)))
    return 'must not be your e-mail or name, nor the organization’s';
  return undefined;
}

/** What a password comes down to: itself, without signs, without what was put around a word, and the word said once. */
function gistsOf(folded: string): string[] {
  const plain = plainOf(folded);
  const core = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  const isDecorated = lengthOf(folded) - lengthOf(core) <= MAX_DECORATION;
  const whole = [folded, plain, ...(isDecorated ? [core, plainOf(core)] : [])];
  return [...whole, ...whole.map(unitOf)];
}

/** What would be tried of an e-mail or a name: the whole of it, and of an e-mail what stands before the `@`. */
function wordsOf(personal: string): string[] {
  const folded = fold(personal);
  return [folded, folded.replace(/@[^@]*$/, '')].map(plainOf).filter((word) => word !== '');
}

/** One form for upper and lower case and for all ways of typing a character. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function plainOf(folded: string): string {
  return folded.replace(/[^\p{L}\p{N}]/gu, '');
}

/** The shortest piece that makes the text when it is repeated; the text itself when there is none. */
function unitOf(text: string): string {
  return /^(.+?)\1+$/su.exec(text)?.[1] ?? text;
}

/** `abcdefghijkl`, `987654321098`. */
function isSequence(text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0)!);
  const isDigits = /^\d+$/.test(text);
  return [1, -1].some((step) =>
    codes.every((code, index) => {
      const expected = (codes[index - 1] ?? code - step) + step;
      return code === expected || (isDigits && Math.abs(code - expected) === 10);
    }),
  );
}

function lengthOf(text: string): number {
  return [...text].length;
}
