import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Credential } from '../auth/credentials.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import {
  canonicalJson,
  IdempotencyScope,
  type IdempotentRequest,
  placeOf,
  replaySecrets,
} from './scope.js';

const secret = randomBytes(32);
const secrets = replaySecrets(new InstanceSecret(secret));
const request: IdempotentRequest = {
  organizationId: 'org_1',
  credentialId: 'key_1',
  token: 'clv_the-token-itself',
  idempotencyKey: 'first',
  shape: { method: 'POST', route: '/v1/x', params: { a: '1' }, query: {}, body: { name: 'A' } },
};
const ANSWER = JSON.stringify({ body: { token: 'clv_what-nobody-else-may-read' } });

function scope(changes: Partial<IdempotentRequest> = {}, by = secrets): IdempotencyScope {
  return new IdempotencyScope(by, { ...request, ...changes });
}

describe('a sealed answer', () => {
  const sealed = scope().seal(ANSWER);

  it('is opened by the same request with the same credential', () => {
    expect(scope().open(sealed)).toBe(ANSWER);
    // As the database gives bytes back.
    expect(scope().open(new Uint8Array(sealed))).toBe(ANSWER);
  });

  it('shows nothing of what is in it, and is another one every time', () => {
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('clv_');
    expect(scope().seal(ANSWER)).not.toEqual(sealed);
  });

  it.each<[string, Partial<IdempotentRequest>]>([
    ['the token', { token: 'clv_another-token' }],
    ['the idempotency key', { idempotencyKey: 'second' }],
    ['the credential', { credentialId: 'key_2' }],
    ['the organization', { organizationId: 'org_2' }],
    ['the request', { shape: { ...request.shape, body: { name: 'B' } } }],
  ])('stays closed without %s, for somebody who has database and pepper', (_what, changes) => {
    expect(() => scope(changes).open(sealed)).toThrow();
  });

  it('stays closed without the instance’s secret, for somebody who has the token', () => {
    const others = replaySecrets(InstanceSecret.make());
    expect(() => scope({}, others).open(sealed)).toThrow();
  });

  it('stays closed when a single bit of it was changed, or it was cut', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const forged = Buffer.from(sealed);
      forged[at]! ^= 1;
      expect(() => scope().open(forged)).toThrow();
    }
    expect(() => scope().open(sealed.subarray(0, 20))).toThrow();
    expect(() => scope().open(new Uint8Array())).toThrow();
  });
});

describe('the fingerprint of a request', () => {
  const of = (changes: Partial<typeof request.shape>) =>
    scope({ shape: { ...request.shape, ...changes } }).fingerprint.toString('hex');

  it('differs by method, route, parameters, query and body', () => {
    const all = [
      of({}),
      of({ method: 'PUT' }),
      of({ route: '/v1/y' }),
      of({ params: { a: '2' } }),
      of({ query: { a: '1' } }),
      of({ body: { name: 'B' } }),
      of({ body: undefined }),
      of({ body: null }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is the same however the members of an object are ordered', () => {
    expect(of({ body: { a: 1, b: { c: [1, 2], d: null } } })).toBe(
      of({ body: { b: { d: null, c: [1, 2] }, a: 1 } }),
    );
    expect(of({ body: { a: [1, 2] } })).not.toBe(of({ body: { a: [2, 1] } }));
  });
});

describe('the fingerprint of any body', () => {
  const of = (text: string) =>
    scope({
      shape: { ...request.shape, body: JSON.parse(text) as unknown },
    }).fingerprint.toString('hex');

  /** The same JSON as somebody else would write it: members in another order, white space around everything. */
  function rewritten(value: unknown, order: (names: string[]) => string[], space: string): string {
    const parts = (items: string[], [open, close]: string) =>
      `${open}${space}${items.join(`${space},${space}`)}${space}${close}`;
    const write = (item: unknown): string => {
      if (Array.isArray(item)) return parts(item.map(write), '[]');
      if (typeof item !== 'object' || item === null) return JSON.stringify(item);
      const members = item as Record<string, unknown>;
      const names = order(Object.keys(members));
      return parts(
        names.map((name) => `${JSON.stringify(name)}${space}:${write(members[name])}`),
        '{}',
      );
    };
    return write(value);
  }

  // The order of names like `0` is not the writer's in JavaScript, so they are among them.
  const json = fc.jsonValue({ maxDepth: 4 });
  const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ');

  it('is the same however it is written', () => {
    fc.assert(
      fc.property(json, space, fc.boolean(), (value, white, isReversed) => {
        const order = (names: string[]) => (isReversed ? names.reverse() : names.sort());
        expect(of(rewritten(value, order, white))).toBe(of(JSON.stringify(value)));
      }),
    );
  });

  it('is another one where one value is', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
        const isSame = isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
        expect(of(a) === of(b)).toBe(isSame);
        // In a list, in an object, and beside something, it is another request again.
        const around = [a, `[${a}]`, `{"a":${a}}`, `{"b":${a}}`, `{"a":${a},"b":${b}}`];
        expect(new Set(around.map(of)).size).toBe(around.length);
      }),
    );
  });
});

describe('the place of a record', () => {
  const key = { kind: 'key', organizationId: 'org_own' } as Credential;
  const session = { kind: 'session' } as Credential;

  it('is the organization of the path, else that of the account, whose transaction stores it', () => {
    expect(placeOf({ organizationId: 'org_path' }, session)).toBe('org_path');
    expect(placeOf({ organizationId: 'org_path' }, key)).toBe('org_path');
    expect(placeOf({}, key)).toBe('org_own');
    expect(placeOf(undefined, session)).toBe('system');
  });
});

describe('canonicalJson', () => {
  it('keeps every value, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('the stored hash of an idempotency key', () => {
  it('does not tell the key without the secret, and belongs to one instance', () => {
    const others = replaySecrets(InstanceSecret.make());
    expect(scope().keyHash).toHaveLength(32);
    expect(scope().keyHash.equals(scope({}, others).keyHash)).toBe(false);
    expect(scope().keyHash.equals(scope({ idempotencyKey: 'second' }).keyHash)).toBe(false);
  });
});
