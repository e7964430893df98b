import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALL_PERMISSIONS } from '../auth/permissions.js';
import { isReserved, permissionNameFaults } from './permission-name.js';

const codesOf = (value: unknown) => permissionNameFaults(value).map(({ code }) => code);

/** RFC 6749 section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

describe('the name of a registered permission', () => {
  it.each([
    'reports:download',
    'billing-api:refund-order',
    'reports.monthly:read',
    'a:b',
    '2fa:reset',
    'key:read', // not `keys`
    'x'.repeat(126) + ':y',
  ])('may be %s', (name) => expect(codesOf(name)).toEqual([]));

  it.each([
    '',
    'reports',
    'reports:',
    ':download',
    'reports:down:load',
    'Reports:download',
    'reports:down load',
    'reports:download\n',
    'reports:"x"',
    'reports:x\\y',
    'reports:*',
    '-reports:x',
    'reports-:x',
    'reports..x:y',
    '.reports:x',
    'reports:x.y',
    'réports:x',
    'reports：x',
    'reports:x\u0000',
  ])('may not be %j', (name) => expect(codesOf(name)).toEqual(['invalid_format']));

  it('has at most 128 characters', () => {
    expect(codesOf('x'.repeat(127) + ':y')).toEqual(['too_long']);
    expect(codesOf('x'.repeat(100_000))).toEqual(['too_long']);
  });

  it.each([1, null, undefined, ['reports:x'], { a: 1 }])('is a string, not %j', (value) =>
    expect(codesOf(value)).toEqual(['wrong_type']),
  );

  it.each([...ALL_PERMISSIONS, 'users:sell', 'users.photos:read', 'claviger:x', 'claviger.a:b'])(
    'may not be in our own namespaces: %s',
    (name) => expect(codesOf(name)).toEqual(['reserved_namespace']),
  );

  it('is an OAuth scope of its own, whatever it is', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab0-.: "\\_*A\u00e9'), maxLength: 20 });
    fc.assert(
      fc.property(text, (name) => {
        if (codesOf(name).length === 0) expect(name).toMatch(SCOPE_TOKEN);
      }),
    );
  });

  it('is never one of the catalogue', () => {
    expect(ALL_PERMISSIONS.filter((permission) => !isReserved(permission))).toEqual([]);
  });
});
