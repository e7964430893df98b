import { describe, expect, it } from '@jest/globals';
import { passwordFault } from './password-rules.js';

const COMMON = 'must not be one that many people use';
const PERSONAL = 'must not be your e-mail or name, nor the organization’s';
const REPEATS = 'must not repeat something shorter';
const FOLLOWS = 'must not be a row of characters that follow each other';

describe('passwordFault', () => {
  it.each([
    'twelve chars',
    'ümläüte ß 🔑🔑',
    `a🔑${'🔑b'.repeat(126)}cd`,
    'correct horse battery staple',
    '482910573826',
    'x!9284#@17465',
    'password manager of mine',
  ])('accepts %s', (password) => expect(passwordFault(password)).toBeUndefined());

  it('counts characters, not bytes or UTF-16 units', () => {
    expect(passwordFault('🔑'.repeat(11))).toBe('must have at least 12 characters');
    expect(passwordFault('')).toBe('must have at least 12 characters');
    expect(passwordFault('🔑'.repeat(257))).toBe('must have at most 256 characters');
  });

  it('refuses half a surrogate pair, which no hash could tell from another half', () => {
    expect(passwordFault('\ud83d twelve chars')).toBe('must be valid Unicode text');
  });

  it.each([
    'qwerty123456',
    '1QAZ2wsx3edc',
    'Administrator',
    'Password123!',
    '**Summer2026',
    'just-in-bieber',
    'ｐａｓｓｗｏｒｄ１２３４',
  ])('refuses %s, which everybody tries first', (password) =>
    expect(passwordFault(password)).toBe(COMMON),
  );

  it.each(['aaaaaaaaaaaa', 'abcabcabcabc', 'PasswordpassworD', 'longer one longer one '])(
    'refuses %s, of which a part would be too short',
    (password) => expect(passwordFault(password)).toBe(REPEATS),
  );

  it.each(['abcdefghijkl', 'ZYXWVUTSRQPO', '5678901234567', '2109876543210'])(
    'refuses the sequence %s',
    (password) => expect(passwordFault(password)).toBe(FOLLOWS),
  );

  it.each([
    ['Ada.Lovelace@Example.com', ['ada.lovelace@example.com']],
    ['ada lovelace', ['ada.lovelace@example.com']],
    ['Ada-Lovelace-1815', ['Ada Lovelace']],
    ['Acme Widgets!', ['ada@example.com', 'Ada', 'ACME Widgets']],
    ['Claviger2026!', []],
  ])('refuses %s, which belongs to the person', (password, personal) => {
    expect(passwordFault(password, personal)).toBe(PERSONAL);
  });

  it('has nothing against a name among other words', () => {
    expect(passwordFault('ada likes engines', ['ada@example.com', 'Ada'])).toBeUndefined();
  });
});
