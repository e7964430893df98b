import { describe, expect, it } from '@jest/globals';
import {
  changedKeyFields,
  type KeyFields,
  newKeyFields,
  successorFields,
  widens,
} from './key-fields.js';
import type { KeyLimits, KeyRow } from './keys.dto.js';

const NOW = new Date('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;
const ROLE = ['users:read', 'keys:read', 'keys:manage', 'reports:read'];
const REGISTERED = new Set(['reports:read', 'reports:download']);

const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);

function input(given: KeyLimits & { name?: string }, maxLifetimeSeconds: number | null = null) {
  return {
    given,
    rolePermissions: ROLE,
    registered: REGISTERED,
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
    const permissions = ['users:read', 'users:manage', 'users:sell', 'reports:download'];
    expect(errorsOf(() => newKeyFields(input({ permissions })))).toMatchObject([
      { pointer: '/key/permissions/1', code: 'not_in_role' },
      { pointer: '/key/permissions/2', code: 'unknown_permission' },
      { pointer: '/key/permissions/3', code: 'not_in_role' },
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

  it('lose a permission that was removed meanwhile, also when it is given as it was', () => {
    const permissions = ['reports:old', 'reports:read'];
    const before = { ...row, permissions };
    const expiresAt = later(2 * HOUR).toISOString();
    expect(changedKeyFields(before, input({ expiresAt })).permissions).toEqual(['reports:read']);
    expect(errorsOf(() => changedKeyFields(before, input({ permissions })))).toMatchObject([
      { pointer: '/key/permissions/0', code: 'unknown_permission' },
    ]);
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

describe('the fields of a successor', () => {
  const row = {
    name: 'Old',
    expiresAt: later(HOUR),
    allPermissions: false,
    permissions: ['keys:read', 'reports:read', 'reports:removed'],
    allowedCidrs: ['10.0.0.0/8'],
    createdAt: later(-HOUR),
  } as KeyRow;

  it('are those of the old key but for permissions that are gone, and its lifetime again', () => {
    expect(successorFields(row, input({}))).toEqual({
      name: 'Old',
      expiresAt: later(2 * HOUR),
      permissions: ['keys:read', 'reports:read'],
      allowedCidrs: ['10.0.0.0/8'],
    });
  });

  it.each([
    { expiresAt: later(HOUR), limit: 3600, end: later(HOUR) },
    { expiresAt: later(HOUR), limit: 3 * 3600, end: later(2 * HOUR) },
    { expiresAt: null, limit: 3600, end: later(HOUR) },
    { expiresAt: null, limit: null, end: null },
    {
      expiresAt: new Date('9999-12-31T00:00:00Z'),
      limit: null,
      end: new Date('9999-12-31T23:59:59.999Z'),
    },
  ])('end at $end: made until $expiresAt, limit $limit', ({ expiresAt, limit, end }) => {
    const createdAt = later(-24 * HOUR * (expiresAt?.getUTCFullYear() === 9999 ? 400 : 0) - HOUR);
    const before = { ...row, expiresAt, createdAt };
    expect(successorFields(before, input({}, limit)).expiresAt).toEqual(end);
  });

  it('can be given another name and end, no later than the organization allows', () => {
    const given = { name: 'New', expiresAt: later(HOUR).toISOString() };
    expect(successorFields(row, input(given, 3600))).toMatchObject({
      name: 'New',
      expiresAt: later(HOUR),
    });
    const late = { expiresAt: later(HOUR + 1).toISOString() };
    expect(errorsOf(() => successorFields(row, input(late, 3600)))).toMatchObject([
      { pointer: '/expiresAt', code: 'too_far' },
    ]);
  });
});

describe('a key that has been replaced', () => {
  const replacedAt = later(-HOUR);
  const row = {
    name: 'Old',
    expiresAt: later(HOUR),
    allPermissions: true,
    permissions: [] as string[],
    allowedCidrs: [] as string[],
    createdAt: later(-2 * HOUR),
  } as KeyRow;
  const change = (expiresAt: string | null) =>
    changedKeyFields(row, { ...input({ expiresAt }), replacedAt });

  it('may work for 7 days from then, and not longer', () => {
    const end = later(-HOUR + 7 * 24 * HOUR);
    expect(change(end.toISOString()).expiresAt).toEqual(end);
    for (const late of [new Date(end.getTime() + 1).toISOString(), null]) {
      expect(errorsOf(() => change(late))).toMatchObject([{ code: 'too_far' }]);
    }
    expect(errorsOf(() => change(later(-1).toISOString()))).toMatchObject([
      { code: 'in_the_past' },
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
