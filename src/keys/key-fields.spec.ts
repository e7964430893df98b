import { describe, expect, it } from '@jest/globals';
import { changedKeyFields, type KeyFields, newKeyFields, widens } from './key-fields.js';
import type { KeyLimits, KeyRow } from './keys.dto.js';

const NOW = new Date('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;
const ROLE = ['users:read', 'keys:read', 'keys:manage'];

const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);

function input(given: KeyLimits & { name?: string }, maxLifetimeSeconds: number | null = null) {
  return {
    given,
    rolePermissions: ROLE,
    bounds: { now: NOW, maxLifetimeSeconds },
    pointer: '/key',
  };
}

function errorsOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { extra: { errors: unknown } }).extra.errors;
  }
  throw new Error('nothing was refused');
}

describe('the fields of a new key', () => {
  it('are those of a key without limits when nothing is given', () => {
    expect(newKeyFields(input({}))).toEqual({
      name: 'Default',
      expiresAt: null,
      permissions: null,
      allowedCidrs: [],
    });
  });

  it("end its life as late as the organization allows, by the database's clock", () => {
    expect(newKeyFields(input({}, 3600)).expiresAt).toEqual(later(HOUR));
    const latest = later(HOUR).toISOString();
    expect(newKeyFields(input({ expiresAt: latest }, 3600)).expiresAt).toEqual(later(HOUR));
  });

  it.each([
    { expiresAt: NOW.toISOString(), code: 'in_the_past' },
    { expiresAt: '0001-01-01T00:00:00Z', code: 'in_the_past' },
    { expiresAt: later(HOUR + 1).toISOString(), code: 'too_far' },
    { expiresAt: null, code: 'too_far' },
  ])('do not let it expire at $expiresAt: $code', ({ expiresAt, code }) => {
    const errors = errorsOf(() => newKeyFields(input({ expiresAt }, 3600)));
    expect(errors).toMatchObject([{ pointer: '/key/expiresAt', code }]);
  });

  it('name every permission that it cannot have', () => {
    const permissions = ['users:read', 'users:manage', 'users:sell'];
    expect(errorsOf(() => newKeyFields(input({ permissions })))).toMatchObject([
      { pointer: '/key/permissions/1', code: 'not_in_role' },
      { pointer: '/key/permissions/2', code: 'unknown_permission' },
    ]);
  });
});

describe('the fields of a changed key', () => {
  const row = {
    name: 'Old',
    expiresAt: later(HOUR),
    allPermissions: false,
    permissions: ['users:read', 'roles:read'],
    allowedCidrs: ['10.0.0.0/8'],
    createdAt: later(-HOUR),
  } as KeyRow;

  it('stay when they are not given', () => {
    expect(changedKeyFields(row, input({}))).toMatchObject({ name: 'Old', expiresAt: later(HOUR) });
  });

  it('are not judged again when they are given as they are', () => {
    const expired = { ...row, expiresAt: later(-1) };
    const expiresAt = expired.expiresAt.toISOString();
    const given = { expiresAt, permissions: ['roles:read', 'users:read'] };
    expect(changedKeyFields(expired, input(given)).expiresAt).toEqual(later(-1));
  });

  it('lose their limits for null', () => {
    const given = { expiresAt: null, permissions: null, allowedCidrs: [] };
    expect(changedKeyFields(row, input(given))).toEqual({ name: 'Old', ...given });
  });

  it('do not outlive what the organization allows, counted from when the key was made', () => {
    const expiresAt = later(HOUR / 2).toISOString();
    expect(errorsOf(() => changedKeyFields(row, input({ expiresAt }, 3600)))).toMatchObject([
      { pointer: '/key/expiresAt', code: 'too_far' },
    ]);
  });
});

describe('widening a key', () => {
  const narrow: KeyFields = {
    name: 'Narrow',
    expiresAt: later(HOUR),
    permissions: ['users:read'],
    allowedCidrs: ['10.0.0.0/8'],
  };

  it.each<Partial<KeyFields>>([
    { permissions: null },
    { permissions: ['users:read', 'keys:read'] },
    { allowedCidrs: [] },
    { expiresAt: null },
    { expiresAt: later(HOUR + 1) },
  ])('is %j', (change) => expect(widens(narrow, { ...narrow, ...change })).toBe(true));

  it.each<Partial<KeyFields>>([
    { name: 'Other' },
    { permissions: [] },
    { allowedCidrs: ['10.1.0.0/16'] },
    { expiresAt: later(HOUR - 1) },
  ])('is not %j', (change) => expect(widens(narrow, { ...narrow, ...change })).toBe(false));
});
