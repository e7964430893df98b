import { describe, expect, it } from '@jest/globals';
import { createPublicKey, randomBytes } from 'node:crypto';
import { Pepper } from '../crypto/pepper.js';
import { makeSealedKeyPair, openPrivateKey, resealPrivateKey } from './sealed-key.js';

const pepper = new Pepper(randomBytes(32));

describe('a sealed key pair', () => {
  it('opens with the pepper that it was sealed under', async () => {
    const { kid, publicKey, sealedPrivateKey } = await makeSealedKeyPair(pepper);
    const opened = openPrivateKey(pepper, kid, sealedPrivateKey);
    expect(createPublicKey(opened).export({ format: 'jwk' })).toEqual(publicKey);
  });

  it('does not open with another pepper, under another id, or changed', async () => {
    const pair = await makeSealedKeyPair(pepper);
    const other = await makeSealedKeyPair(pepper);
    const { kid, sealedPrivateKey } = pair;
    const changed = sealedPrivateKey.map((byte, index) => (index === 40 ? byte ^ 1 : byte));
    expect(() => openPrivateKey(new Pepper(randomBytes(32)), kid, sealedPrivateKey)).toThrow();
    expect(() => openPrivateKey(pepper, other.kid, sealedPrivateKey)).toThrow();
    expect(() => openPrivateKey(pepper, kid, changed)).toThrow();
    expect(() => openPrivateKey(pepper, kid, sealedPrivateKey.subarray(0, 20))).toThrow();
  });

  it('opens with the pepper after, until it is sealed anew, and then with that one alone', async () => {
    const { kid, publicKey, sealedPrivateKey } = await makeSealedKeyPair(pepper);
    const bytes = randomBytes(32);
    const both = new Pepper(bytes, 2, pepper);
    const publicOf = (key: Pepper, sealed: Uint8Array) =>
      createPublicKey(openPrivateKey(key, kid, sealed)).export({ format: 'jwk' });
    expect(publicOf(both, sealedPrivateKey)).toEqual(publicKey);
    const resealed = resealPrivateKey(both, kid, sealedPrivateKey);
    expect(publicOf(new Pepper(bytes), resealed)).toEqual(publicKey);
    expect(() => openPrivateKey(pepper, kid, resealed)).toThrow();
  });
});
