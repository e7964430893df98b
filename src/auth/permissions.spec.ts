import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ALL_PERMISSIONS,
  BUILT_IN_ROLES,
  type BuiltInRoleKey,
  effectivePermissions,
  missingPermissions,
  rolePermissions,
} from './permissions.js';

/** What an organization may have registered for its own APIs. */
const REGISTERED = ['billing:refund', 'reports:download', 'reports.monthly:read'];
const someOf = fc.subarray([...ALL_PERMISSIONS, ...REGISTERED]);
const someRegistered = fc.subarray(REGISTERED);

describe('effectivePermissions', () => {
  it('never gives more than the role has, nor more than the key has', () => {
    fc.assert(
      fc.property(someOf, fc.option(someOf), (role, key) => {
        const effective = effectivePermissions(role, key);
        expect(missingPermissions(effective, new Set(role))).toEqual([]);
        if (key !== null) expect(missingPermissions(effective, new Set(key))).toEqual([]);
      }),
    );
  });

  it('gives all of the role for a key without a restriction', () => {
    fc.assert(
      fc.property(someOf, (role) => {
        expect(effectivePermissions(role, null)).toEqual(role);
      }),
    );
  });

  it('gives nothing for a key restricted to nothing', () => {
    expect(effectivePermissions(ALL_PERMISSIONS, [])).toEqual([]);
  });
});

describe('missingPermissions', () => {
  it('is empty exactly when all that is wanted is held', () => {
    fc.assert(
      fc.property(someOf, someOf, (wanted, held) => {
        const isHeld = wanted.every((permission) => held.includes(permission));
        expect(missingPermissions(wanted, new Set(held)).length === 0).toBe(isHeld);
      }),
    );
  });
});

describe('granting', () => {
  const grant = fc.record({ by: fc.nat(), role: someOf, key: fc.option(someOf) });

  it('never leads above the one with whom it began, however often it is passed on', () => {
    fc.assert(
      fc.property(someOf, fc.array(grant, { maxLength: 30 }), (root, grants) => {
        const holders = [new Set(root)];
        for (const { by, role, key } of grants) {
          const giver = holders[by % holders.length]!;
          const given = effectivePermissions(role, key);
          const isAllowed = missingPermissions(given, giver).length === 0;
          expect(isAllowed).toBe(given.every((permission) => giver.has(permission)));
          if (isAllowed) holders.push(new Set(given));
        }
        for (const holder of holders)
          expect(missingPermissions([...holder], holders[0]!)).toEqual([]);
      }),
    );
  });

  it('gives what both sides have, whichever is called the role and whichever the key', () => {
    fc.assert(
      fc.property(someOf, someOf, someOf, (one, other, third) => {
        const both = effectivePermissions(one, other);
        expect(new Set(both)).toEqual(new Set(effectivePermissions(other, one)));
        expect(effectivePermissions(both, other)).toEqual(both);
        // A wider role or key never takes anything away.
        const wider = effectivePermissions([...one, ...third], [...other, ...third]);
        expect(missingPermissions(both, new Set(wider))).toEqual([]);
      }),
    );
  });
});

describe('the built-in roles', () => {
  it('let nobody but an owner delete the organization, so that nobody else can make owners', () => {
    const able = Object.entries(BUILT_IN_ROLES)
      .filter(([, role]) => (role.permissions as readonly string[]).includes('organization:delete'))
      .map(([key]) => key);
    expect(able).toEqual(['owner']);
  });

  it('let all but viewers and verifiers rotate their own key', () => {
    const unable = Object.entries(BUILT_IN_ROLES)
      .filter(([, role]) => !(role.permissions as readonly string[]).includes('keys:rotate-own'))
      .map(([key]) => key);
    expect(unable).toEqual(['viewer', 'verifier']);
  });

  it('take their permissions from the catalogue, whatever the row says', () => {
    const row = { key: 'verifier', builtIn: true, permissions: ['keys:manage'] };
    expect(rolePermissions(row)).toEqual(['tokens:introspect']);
  });

  it('do not lend their permissions to a custom role of the same key', () => {
    expect(rolePermissions({ key: 'owner', builtIn: false, permissions: [] })).toEqual([]);
  });

  it('hold what is registered as owner and admin, and as nothing else', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(BUILT_IN_ROLES) as BuiltInRoleKey[])),
        someRegistered,
        (key, permissions) => {
          const more = key === 'owner' || key === 'admin' ? permissions : [];
          expect(rolePermissions({ key, builtIn: true, permissions })).toEqual([
            ...BUILT_IN_ROLES[key].permissions,
            ...more,
          ]);
        },
      ),
    );
  });

  it('give a key what the key has too, and never a registered permission that the role lacks', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(BUILT_IN_ROLES), 'custom'),
        someRegistered,
        fc.option(someOf),
        (key, permissions, restriction) => {
          const role = rolePermissions({ key, builtIn: key !== 'custom', permissions });
          const effective = effectivePermissions(role, restriction);
          expect(missingPermissions(effective, new Set(role))).toEqual([]);
          if (restriction !== null) {
            expect(missingPermissions(effective, new Set(restriction))).toEqual([]);
          }
          const lost = role.filter((one) => !effective.includes(one));
          expect(lost.every((one) => restriction?.includes(one) === false)).toBe(true);
        },
      ),
    );
  });
});
