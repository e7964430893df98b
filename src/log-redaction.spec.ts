import { describe, expect, it } from '@jest/globals';
import { loggable, loggableFields, loggableLine } from './log-redaction.js';

describe('loggableFields', () => {
  it('drops what is secret by its name, at any depth and however it is written', () => {
    const fields = {
      authorization: 'x',
      Cookie: 'x',
      'set-cookie': 'x',
      'X-Api-Key': 'x',
      password: 'x',
      newPassword: 'x',
      passwordHash: 'x',
      token: 'x',
      access_token: 'x',
      tokenHash: 'x',
      PEPPER: 'x',
      pepperPrevious: 'x',
      clientSecret: 'x',
      databaseUrl: 'x',
      headers: { a: 'x' },
      rawHeaders: ['x'],
      requestBody: 'x',
    };
    expect(loggableFields(fields)).toEqual({});
    expect(loggableFields({ kept: [{ fields, name: 'n' }], cause: fields })).toEqual({
      kept: [{ fields: {}, name: 'n' }],
      cause: {},
    });
  });

  it('keeps ids, names and counts', () => {
    const fields = {
      requestId: 'req_x',
      keyId: 'key_x',
      keyCount: 2,
      tokenPrefix: 'clv',
      ok: true,
    };
    expect(loggableFields(fields)).toEqual(fields);
  });

  it('keeps of an error its text, its code and its causes', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', address: 'secret' });
    const error = new TypeError('failed', { cause });
    expect(loggable(error)).toEqual({
      type: 'TypeError',
      message: 'failed',
      stack: error.stack,
      cause: { type: 'Error', message: 'refused', stack: cause.stack, code: 'ECONNREFUSED' },
    });
    const many = new AggregateError([cause], 'all failed');
    expect(loggable(many)).toMatchObject({ errors: [{ message: 'refused' }] });
  });
});

describe('loggable', () => {
  it('names instances instead of walking them, and sizes bytes instead of showing them', () => {
    class Connection {
      url = 'postgresql://a:b@c';
    }
    expect(loggable(new Connection())).toBe('[Connection]');
    expect(loggable(new Map([['password', 'x']]))).toBe('[Map]');
    expect(loggable(Buffer.from('secret'))).toBe('[6 bytes]');
    expect(loggable(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(loggable(12n)).toBe('12');
    expect(loggable(Object.assign(Object.create(null) as object, { a: 1 }))).toEqual({ a: 1 });
  });

  it('ends on cycles, depth, size and throwing getters', () => {
    const loop: Record<string, unknown> = { a: 1 };
    loop.self = loop;
    expect(loggable(loop)).toEqual({ a: 1, self: '[…]' });
    const error = new Error('loop');
    error.cause = error;
    expect(loggable(error)).toMatchObject({ message: 'loop', cause: '[…]' });
    let deep: unknown = 'bottom';
    for (let level = 0; level < 1000; level++) deep = { deep };
    expect(JSON.stringify(loggable(deep))).not.toContain('bottom');
    expect(loggable(Array(1000).fill(1))).toHaveLength(100);
    const hostile = {
      get name(): string {
        throw new Error('no');
      },
    };
    expect(loggableFields(hostile)).toEqual({ unloggable: true });
  });
});

describe('loggableLine', () => {
  it('removes credentials in URLs and password hashes', () => {
    expect(loggableLine('connect postgresql://app:s3cret@db:5432/x failed')).toBe(
      'connect postgresql://…@db:5432/x failed',
    );
    expect(loggableLine('redis://:s3cret@h')).toBe('redis://…@h');
    expect(loggableLine('at "https://example.com:8443/a" by a@b.c')).toBe(
      'at "https://example.com:8443/a" by a@b.c',
    );
    expect(loggableLine('"$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA"')).toBe('"$argon2…"');
  });

  it('escapes 8-bit ANSI, line separators and directions, and stays JSON', () => {
    const value = '\u009b31m \u2028 \u202e \u0085 \u007f ü 🔑';
    const line = loggableLine(JSON.stringify({ value }));
    expect(line).toMatch(/^[\x20-\x7eü🔑]+$/u);
    expect(JSON.parse(line)).toEqual({ value });
  });

  it('takes linear time on hostile text', () => {
    const startedAt = performance.now();
    loggableLine(`://${':'.repeat(500_000)}`);
    loggableLine('://a:'.repeat(100_000));
    loggableLine('$argon2id$'.repeat(50_000));
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});
