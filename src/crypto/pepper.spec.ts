import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { decodePepper, loadOrCreatePepper, Pepper, PepperError, sameHash } from './pepper.js';
import type { TokenKind } from './token.js';

const KINDS: TokenKind[] = ['key', 'session', 'cookie', 'invitation', 'setup', 'reset'];

describe('Pepper', () => {
  const secret = Buffer.alloc(32, 7);
  const pepper = new Pepper(secret);

  it('hashes HMAC-SHA-256(pepper, kind, 0, token)', () => {
    const expected = createHmac('sha256', secret)
      .update(Buffer.concat([Buffer.from('key'), Buffer.of(0), Buffer.from('clv_x')]))
      .digest();
    expect(pepper.hash('key', 'clv_x')).toEqual(expected);
    expect(expected).toHaveLength(32);
  });

  it('keeps the kinds apart', () => {
    const hashes = KINDS.map((kind) => pepper.hash(kind, 'clv_x').toString('hex'));
    expect(new Set(hashes).size).toBe(KINDS.length);
  });

  it('gives other hashes and another check value with another pepper', () => {
    const other = new Pepper(randomBytes(32));
    expect(sameHash(other.hash('key', 'x'), pepper.hash('key', 'x'))).toBe(false);
    expect(sameHash(other.checkValue(), pepper.checkValue())).toBe(false);
    expect(sameHash(new Pepper(secret).checkValue(), pepper.checkValue())).toBe(true);
  });

  it('derives stable keys, one per purpose, never the pepper itself', () => {
    expect(pepper.derive('cursor')).toEqual(new Pepper(secret).derive('cursor'));
    expect(pepper.derive('cursor')).toHaveLength(32);
    const keys = [pepper.derive('cursor'), pepper.derive('sealing'), pepper.checkValue(), secret];
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(4);
  });

  it('has a version, 1 unless told', () => {
    expect(pepper.version).toBe(1);
    expect(new Pepper(secret, 2).version).toBe(2);
  });

  it('knows a token under itself and under the one before, and no other', () => {
    const previous = new Pepper(randomBytes(32));
    const both = new Pepper(secret, 2, previous);
    expect(both.match('key', 'x', both.hash('key', 'x'))).toBe('current');
    expect(both.match('key', 'x', previous.hash('key', 'x'))).toBe('previous');
    expect(both.match('key', 'y', previous.hash('key', 'x'))).toBeUndefined();
    expect(both.match('session', 'x', previous.hash('key', 'x'))).toBeUndefined();
    for (const nothing of [null, undefined]) {
      expect(both.match('key', 'x', nothing)).toBeUndefined();
    }
    expect(pepper.match('key', 'x', previous.hash('key', 'x'))).toBeUndefined();
    expect(pepper.match('key', 'x', pepper.hash('key', 'x'))).toBe('current');
  });

  it('does not show its secret when inspected or serialized', () => {
    const shown = inspect(pepper, { depth: 9, showHidden: true }) + JSON.stringify(pepper);
    expect(shown).not.toContain(secret.toString('base64'));
    expect(shown).not.toMatch(/07 07|7,7/);
  });

  it('outlives the buffer that it was made from', () => {
    const buffer = Buffer.from(secret);
    const own = new Pepper(buffer);
    buffer.fill(0);
    expect(own.checkValue()).toEqual(pepper.checkValue());
  });

  it('refuses another length', () => {
    expect(() => new Pepper(Buffer.alloc(31))).toThrow(PepperError);
    expect(() => new Pepper(Buffer.alloc(0))).toThrow(PepperError);
  });
});

describe('sameHash', () => {
  it('compares content, and lengths without an error', () => {
    expect(sameHash(Buffer.from('abc'), Buffer.from('abc'))).toBe(true);
    expect(sameHash(Buffer.from('abc'), Buffer.from('abd'))).toBe(false);
    expect(sameHash(Buffer.from('abc'), Buffer.from('abcd'))).toBe(false);
    expect(sameHash(new Uint8Array(32), Buffer.alloc(32))).toBe(true);
  });
});

describe('decodePepper', () => {
  const text = Buffer.alloc(32, 0xfb).toString('base64');

  it('reads 32 bytes in base64, with the newline of a file', () => {
    expect(decodePepper(text)).toEqual(Buffer.alloc(32, 0xfb));
    expect(decodePepper(`${text}\n`)).toEqual(Buffer.alloc(32, 0xfb));
  });

  it.each([
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['hex', Buffer.alloc(32).toString('hex')],
    ['base64url', Buffer.alloc(32, 0xfb).toString('base64url')],
    ['characters that a lenient decoder skips', `${text.slice(0, 5)}!${text.slice(5)}`],
    ['two peppers', `${text}${text}`],
  ])('refuses %s', (_what, wrong) => {
    expect(decodePepper(wrong)).toBeUndefined();
  });
});

describe('loadOrCreatePepper', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'claviger-pepper-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('makes one for a new database and finds it again', () => {
    const made = loadOrCreatePepper(dataDir, true);
    expect(made).toHaveLength(32);
    expect(statSync(join(dataDir, 'pepper')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(['pepper']);
    expect(loadOrCreatePepper(dataDir, false)).toEqual(made);
    expect(loadOrCreatePepper(dataDir, true)).toEqual(made);
  });

  it('makes the directory too', () => {
    const deeper = join(dataDir, 'a', 'b');
    expect(loadOrCreatePepper(deeper, true)).toHaveLength(32);
  });

  it('refuses to make one for a database that has data', () => {
    expect(() => loadOrCreatePepper(dataDir, false)).toThrow(PepperError);
    expect(() => loadOrCreatePepper(dataDir, false)).toThrow(/pepper is missing/);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('refuses a damaged file without showing or replacing it', () => {
    const damaged = randomBytes(32).toString('base64').slice(0, 20);
    writeFileSync(join(dataDir, 'pepper'), damaged);
    expect(() => loadOrCreatePepper(dataDir, true)).toThrow(/damaged/);
    expect(() => loadOrCreatePepper(dataDir, true)).not.toThrow(damaged);
    expect(readFileSync(join(dataDir, 'pepper'), 'utf8')).toBe(damaged);
  });
});
