import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import {
  algorithmsOf,
  type PublicJwk,
  publicJwkFaults,
  thumbprintOf,
  toPublicJwk,
} from './public-jwk.js';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ec = publicKey.export({ format: 'jwk' }) as unknown as PublicJwk;

/** The example of RFC 7638 section 3.1. */
const RFC_7638: PublicJwk = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
};

describe('a public key', () => {
  it('is good, and keeps nothing but what makes it one', () => {
    expect(publicJwkFaults(ec)).toEqual([]);
    expect(publicJwkFaults(RFC_7638)).toEqual([]);
    expect(toPublicJwk({ ...ec, kid: 'mine', key_ops: ['verify'], x5c: ['…'] })).toEqual(ec);
    expect(toPublicJwk(RFC_7638)).toEqual(RFC_7638);
  });

  it('is not good with any member of a private one, whatever its value', () => {
    expect(publicJwkFaults(privateKey.export({ format: 'jwk' }))).toMatchObject([
      { pointer: '/d', code: 'private_key' },
    ]);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      expect(publicJwkFaults({ ...ec, [member]: null })).toMatchObject([{ code: 'private_key' }]);
    }
  });

  it.each([
    null,
    [],
    'text',
    7,
    {},
    { kty: 'EC', crv: 'constructor' },
    { kty: 'OKP', crv: 'P-256' },
  ])('is not %j', (value) => expect(publicJwkFaults(value)).toHaveLength(1));

  it('is written in base64url alone, and no longer than a key can be', () => {
    expect(publicJwkFaults({ ...ec, x: `${ec.x}=` })).toMatchObject([
      { pointer: '/x', code: 'invalid_format' },
    ]);
    expect(publicJwkFaults({ ...RFC_7638, n: 'A'.repeat(1_367) })).toMatchObject([
      { pointer: '/n', code: 'too_long' },
    ]);
    expect(publicJwkFaults({ ...ec, y: 7 })).toMatchObject([{ pointer: '/y', code: 'wrong_type' }]);
  });

  it('has the thumbprint of RFC 7638', () => {
    expect(thumbprintOf(RFC_7638)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('is for the algorithms that fit its type, or for the one that it names', () => {
    expect(algorithmsOf(ec)).toEqual(['ES256']);
    expect(algorithmsOf(RFC_7638)).toEqual(['RS256']);
    expect(algorithmsOf({ kty: 'OKP', crv: 'Ed25519', x: '' })).toEqual(['EdDSA', 'Ed25519']);
  });
});
