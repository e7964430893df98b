import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { CredentialCache } from './credential-cache.js';
import type { KeyCredential } from './credentials.js';

const hashOf = (name: string) => createHash('sha256').update(name).digest();
const texts = (count: number, length: number) =>
  Array.from({ length: count }, (_, n) => String(n).padStart(length, 'x'));

function aCredential(change: Partial<KeyCredential> = {}): KeyCredential {
  return {
    kind: 'key',
    keyId: 'key_01h455vb4pex5vsknk084sn02q',
    keyName: 'First',
    obfuscatedToken: 'clv_…abcd',
    accountId: 'sa_01h455vb4pex5vsknk084sn02q',
    accountName: 'Sync',
    organizationId: 'org_01h455vb4pex5vsknk084sn02q',
    organizationName: 'Acme',
    role: { key: 'viewer', name: 'Viewer' },
    permissions: new Set(),
    keyPermissions: null,
    scope: null,
    accessToken: null,
    allowedCidrs: [],
    requestsPerMinute: 500,
    createdAt: 0,
    keyExpiresAt: null,
    replacedBy: null,
    expiresAt: null,
    epoch: 0,
    ...change,
  };
}

describe('the cache of credentials', () => {
  it('answers what was put in, until it is taken out', () => {
    const cache = new CredentialCache(10, 100_000);
    const credential = aCredential();
    cache.set(hashOf('a'), credential);
    expect(cache.get(hashOf('a'))).toBe(credential);
    expect(cache.get(hashOf('b'))).toBeUndefined();
    cache.delete(hashOf('a'));
    expect(cache.get(hashOf('a'))).toBeUndefined();
  });

  it('forgets what was not used for longest', () => {
    const cache = new CredentialCache(2, 100_000);
    for (const name of ['a', 'b']) cache.set(hashOf(name), aCredential());
    cache.get(hashOf('a'));
    cache.set(hashOf('c'), aCredential());
    const known = ['a', 'b', 'c'].filter((name) => cache.get(hashOf(name)) !== undefined);
    expect(known).toEqual(['a', 'c']);
  });

  const audience = texts(10, 500);
  const long: [string, Partial<KeyCredential>][] = [
    ['permissions', { permissions: new Set(texts(60, 20)) }],
    ['what the key is restricted to', { keyPermissions: texts(60, 20) }],
    ['networks', { allowedCidrs: texts(60, 20) }],
    ['the scope', { scope: texts(60, 20) }],
    [
      'the audience',
      { accessToken: { jti: '', audience, isOwn: true, issuedAt: 0, expiresAt: 0 } },
    ],
  ];
  it.each(long)('counts %s', (_name, change) => {
    const cache = new CredentialCache(10, 10_000);
    for (const name of ['a', 'b']) cache.set(hashOf(name), aCredential(change));
    const known = ['a', 'b'].filter((name) => cache.get(hashOf(name)) !== undefined);
    expect(known).toEqual(['b']);
  });
});
