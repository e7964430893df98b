import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId, type IdPrefix } from './id.js';
import {
  createToken,
  obfuscateToken,
  parseToken,
  redactTokens,
  type TokenFamily,
  type TokenKind,
} from './token.js';

const KINDS: [TokenKind, IdPrefix, TokenFamily, string][] = [
  ['key', 'key', 'key', 'clv'],
  ['session', 'ses', 'session', 'clvs'],
  ['cookie', 'ses', 'cookie', 'clvc'],
  ['invitation', 'inv', 'once', 'clvi'],
  ['setup', 'stp', 'once', 'clvi'],
  ['reset', 'rst', 'once', 'clvi'],
];

const anyKind = fc.constantFrom(...KINDS);
const productPrefix = fc.stringMatching(/^[a-z][a-z0-9]{1,9}$/);
const token = fc.tuple(productPrefix, anyKind).map(([prefix, [kind, idPrefix]]) => ({
  prefix,
  text: createToken(prefix, kind, newId(idPrefix)),
}));
const ascii = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code));

describe('createToken', () => {
  it.each(KINDS)('makes a %s token that parses back', (kind, idPrefix, family, prefix) => {
    const id = newId(idPrefix);
    const text = createToken('clv', kind, id);
    expect(text).toMatch(new RegExp(`^${prefix}_[0-7][0-9a-z]{25}_[0-9A-Za-z]{49}$`));
    expect(parseToken('clv', text)).toEqual({ family, suffix: id.slice(idPrefix.length + 1) });
  });

  it('makes another secret every time, for the same id too', () => {
    const id = newId('key');
    const tokens = Array.from({ length: 100 }, () => createToken('clv', 'key', id));
    expect(new Set(tokens).size).toBe(100);
  });

  it('refuses the id of another kind and a malformed prefix', () => {
    expect(() => createToken('clv', 'key', newId('ses'))).toThrow(TypeError);
    expect(() => createToken('clv', 'key', 'key_x')).toThrow(TypeError);
    expect(() => createToken('Clv', 'key', newId('key'))).toThrow(TypeError);
    expect(() => createToken('c_v', 'key', newId('key'))).toThrow(TypeError);
  });

  it('stays as it was: tokens that were handed out keep working', () => {
    // In two parts: whoever looks for leaked tokens would take it for one.
    const secret = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2yCKfp';
    const known = `clv_01arz3ndektsv4rrffq69g5fav_${secret}`;
    expect(parseToken('clv', known)).toEqual({
      family: 'key',
      suffix: '01arz3ndektsv4rrffq69g5fav',
    });
  });
});

describe('parseToken', () => {
  it('reads what createToken makes, under any product prefix', () => {
    fc.assert(
      fc.property(productPrefix, anyKind, (prefix, [kind, idPrefix, family]) => {
        const id = newId(idPrefix);
        expect(parseToken(prefix, createToken(prefix, kind, id))).toEqual({
          family,
          suffix: id.slice(idPrefix.length + 1),
        });
      }),
    );
  });

  it('catches every single-character typo', () => {
    fc.assert(
      fc.property(token, fc.nat(), ascii, ({ prefix, text }, place, typo) => {
        const at = place % text.length;
        fc.pre(text[at] !== typo);
        expect(parseToken(prefix, text.slice(0, at) + typo + text.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('catches every typo of one token at every place', () => {
    const text = createToken('clv', 'key', newId('key'));
    const letters = '_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    for (let at = 0; at < text.length; at++) {
      for (const letter of letters.replace(text.charAt(at), '')) {
        expect(parseToken('clv', text.slice(0, at) + letter + text.slice(at + 1))).toBeUndefined();
      }
    }
  });

  it('catches a lost, a doubled and two swapped characters', () => {
    fc.assert(
      fc.property(token, fc.nat(), ({ prefix, text }, place) => {
        const at = place % (text.length - 1);
        const [one, two] = [text.charAt(at), text.charAt(at + 1)];
        expect(parseToken(prefix, text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
        expect(parseToken(prefix, text.slice(0, at) + one + text.slice(at))).toBeUndefined();
        fc.pre(one !== two);
        expect(
          parseToken(prefix, text.slice(0, at) + two + one + text.slice(at + 2)),
        ).toBeUndefined();
      }),
    );
  });
});

describe('parseToken on hostile text', () => {
  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(parseToken('clv', text)).toBeUndefined();
        expect(parseToken('clv', `clv_${text}`)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['a trailing newline', (good: string) => `${good}\n`],
    ['a leading space', (good: string) => ` ${good}`],
    ['full-width letters', (good: string) => good.replace('clv', 'ｃｌｖ')],
    ['a NUL', (good: string) => `${good.slice(0, -1)}\0`],
    ['10 KB', (good: string) => good.repeat(120)],
    ['two tokens', (good: string) => `${good},${good}`],
    ['nothing', () => ''],
    ['only the prefix', () => 'clv_'],
    ['an unknown family', (good: string) => good.replace('clv_', 'clvx_')],
    ['another product', (good: string) => good.replace('clv_', 'ghp_')],
  ])('refuses %s', (_what, change) => {
    const good = createToken('clv', 'key', newId('key'));
    expect(parseToken('clv', good)).toBeDefined();
    expect(parseToken('clv', change(good))).toBeUndefined();
  });

  it('does not take a token of one server for one of another prefix', () => {
    expect(parseToken('clvs', createToken('clv', 'key', newId('key')))).toBeUndefined();
    expect(parseToken('acme', createToken('clv', 'key', newId('key')))).toBeUndefined();
  });
});

describe('obfuscateToken', () => {
  it('keeps the prefix and the last four characters', () => {
    const text = createToken('clv', 'session', newId('ses'));
    expect(obfuscateToken(text)).toBe(`clvs_…${text.slice(-4)}`);
  });

  it('shows nothing of what is no token', () => {
    expect(obfuscateToken('hunter2 hunter2')).toBe('…');
    expect(obfuscateToken('')).toBe('…');
  });
});

describe('redactTokens', () => {
  const around = fc.string({ maxLength: 30 });

  it('removes the secret of every token, under any prefix, wherever it stands', () => {
    fc.assert(
      fc.property(token, around, around, ({ text }, before, after) => {
        const secret = text.slice(-49, -6);
        expect(redactTokens(`${before}${text}${after}`)).not.toContain(secret);
      }),
    );
  });

  it('leaves the obfuscated form in place, twice in a line too', () => {
    const [one, two] = [newId('key'), newId('key')].map((id) => createToken('clv', 'key', id));
    expect(redactTokens(`curl -H "Authorization: Bearer ${one}" /v1/me?t=${two}`)).toBe(
      `curl -H "Authorization: Bearer ${obfuscateToken(one!)}" /v1/me?t=${obfuscateToken(two!)}`,
    );
  });

  it('removes what is left of a token that was cut, mistyped or percent-encoded', () => {
    const text = createToken('clv', 'key', newId('key'));
    expect(redactTokens(text.slice(0, 60))).toBe('clv_…');
    expect(redactTokens(`${text}x`)).toBe('clv_…');
    expect(redactTokens(text.slice(0, 10) + 'U' + text.slice(11))).toMatch(/^clv_….{4}$/);
    expect(redactTokens(text.replaceAll('_', '%5F'))).toMatch(/^clv_….{4}$/);
    expect(redactTokens(text.replaceAll('_', '%5f'))).toMatch(/^clv_….{4}$/);
  });

  it('removes JWTs, whole or cut', () => {
    const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzYV8wIn0.c2lnbmF0dXJl_-c2ln';
    expect(redactTokens(`GET /v1/me?token=${jwt} HTTP/1.1`)).toBe('GET /v1/me?token=eyJ… HTTP/1.1');
    expect(redactTokens(jwt.slice(0, 40))).toBe('eyJ…');
    expect(redactTokens('eyJust three letters, and a dot.')).toContain(
      'eyJust three letters, and a dot.',
    );
  });

  it('leaves ids, obfuscated tokens and other text alone', () => {
    const text = `key ${newId('key')} of ${newId('sa')} in ${newId('org')}: clv_…AbCd, snake_case_name`;
    expect(redactTokens(text)).toBe(text);
  });

  it('takes linear time on hostile text', () => {
    const startedAt = performance.now();
    redactTokens('a'.repeat(1_000_000));
    redactTokens('aa_'.repeat(300_000));
    redactTokens(`aa_${'a'.repeat(1_000_000)}`);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});
