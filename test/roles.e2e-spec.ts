import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_PERMISSIONS, BUILT_IN_ROLES } from '../src/auth/permissions.js';
import type { FieldError } from '../src/http/problem.js';
import type { PermissionEntry, Role } from '../src/roles/roles.dto.js';
import { type Answer, changesOf, startServer, type TestServer } from './harness.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { asSeen } from './same-answer.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let roles: string;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  roles = `${organization.path}/roles`;
});
afterAll(() => server.close());

/** A custom role, made through the API. */
async function aRole(permissions: string[], by = owner.client): Promise<string> {
  const key = `custom-${(counter += 1)}`;
  const answer = await by.post(roles, { key, name: `Custom ${counter}`, permissions });
  expect(answer.status).toBe(201);
  return key;
}

const errorOf = ({ body }: Answer) =>
  body.errors?.map((error: FieldError) => [error.pointer, error.code]);

describe('GET /v1/permissions', () => {
  it('200: explains every permission to any credential', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    const { status, body } = await account.client.get('/v1/permissions');
    expect(status).toBe(200);
    expect(body.data.map((entry: PermissionEntry) => entry.permission)).toEqual(ALL_PERMISSIONS);
    expect(body.data[0]).toEqual({
      permission: 'organization:read',
      description: 'See the organization and its settings.',
    });
  });

  it('401 without a credential', async () => {
    expect((await server.client.get('/v1/permissions')).status).toBe(401);
  });
});

describe('GET …/roles', () => {
  it('200: the built-in roles permit what the catalogue says', async () => {
    const { status, body } = await owner.client.get(`${roles}?limit=200`);
    expect(status).toBe(200);
    for (const [key, role] of Object.entries(BUILT_IN_ROLES)) {
      expect(body.data).toContainEqual(
        expect.objectContaining({ key, builtIn: true, permissions: role.permissions }),
      );
    }
  });

  it('200: counts users and living service accounts', async () => {
    const key = await aRole(['users:read']);
    await aPerson(server, organization, { role: key });
    await aServiceAccount(server, organization, { role: key });
    const deleted = await aServiceAccount(server, organization, { role: key });
    expect((await owner.client.delete(deleted.path)).status).toBe(204);
    const { body } = await owner.client.get(`${roles}?search=${key}`);
    expect(body.data).toEqual([expect.objectContaining({ key, memberCount: 2 })]);
  });

  it.each(['key', '-key', 'name', '-name', 'createdAt', '-createdAt'])(
    '200: pages sorted by %s hold every role once',
    async (sort) => {
      const whole = await owner.client.get(`${roles}?limit=200&sort=${sort}`);
      const keys: string[] = [];
      for (let after = ''; ;) {
        const { body } = await owner.client.get(`${roles}?limit=2&sort=${sort}${after}`);
        keys.push(...body.data.map((role: Role) => role.key));
        if (body.paging.next === undefined) break;
        after = `&after=${body.paging.next.after}`;
      }
      expect(keys).toEqual(whole.body.data.map((role: Role) => role.key));
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.length).toBeGreaterThanOrEqual(6);
    },
  );

  it('200: takes % and _ of a search for themselves', async () => {
    const { body } = await owner.client.get(`${roles}?search=${encodeURIComponent('%')}`);
    expect(body.data).toEqual([]);
  });

  it('400: an unknown sort, and a cursor of another order', async () => {
    expect(errorOf(await owner.client.get(`${roles}?sort=permissions`))).toEqual([
      ['/sort', 'not_allowed'],
    ]);
    const { body } = await owner.client.get(`${roles}?limit=1`);
    const { after } = body.paging.next;
    const answer = await owner.client.get(`${roles}?limit=1&sort=-key&after=${after}`);
    expect([answer.status, errorOf(answer)]).toEqual([400, [['/after', 'invalid_cursor']]]);
  });

  it('400: a cursor of another organization', async () => {
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const { body } = await owner.client.get(`${roles}?limit=1`);
    const answer = await stranger.client.get(
      `${other.path}/roles?limit=1&after=${body.paging.next.after}`,
    );
    expect(errorOf(answer)).toEqual([['/after', 'invalid_cursor']]);
  });

  it('403 without roles:read', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    const { status, body } = await account.client.get(roles);
    expect([status, body.required]).toEqual([403, 'roles:read']);
  });
});

describe('POST …/roles', () => {
  it('201: makes the role, says where it is, and records it', async () => {
    const answer = await owner.client.post(roles, {
      key: 'key-keeper',
      name: 'Key keeper',
      description: 'Replaces keys.',
      permissions: ['keys:manage', 'keys:read'],
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${roles}/key-keeper`);
    expect(answer.body).toEqual({
      key: 'key-keeper',
      name: 'Key keeper',
      description: 'Replaces keys.',
      builtIn: false,
      permissions: ['keys:read', 'keys:manage'],
      memberCount: 0,
      createdAt: expect.stringMatching(/^20.*Z$/),
      updatedAt: answer.body.createdAt,
    });
    expect((await owner.client.get(answer.headers.get('location')!)).body).toEqual(answer.body);
    expect(await changesOf(server, answer)).toEqual([
      expect.objectContaining({
        action: 'role.created',
        actor: { type: 'user', id: owner.id, name: owner.name },
        targets: [{ type: 'role', id: 'key-keeper', name: 'Key keeper' }],
        changes: {
          name: { before: null, after: 'Key keeper' },
          description: { before: '', after: 'Replaces keys.' },
          permissions: { before: [], after: ['keys:read', 'keys:manage'] },
        },
      }),
    ]);
  });

  it.each([
    ['a key that is no slug', { key: 'Key Keeper' }, '/key', 'invalid_format'],
    [
      'a permission that does not exist',
      { permissions: ['keys:read', 'keys:eat'] },
      '/permissions/1',
      'unknown_permission',
    ],
    [
      'a permission twice',
      { permissions: ['keys:read', 'keys:read'] },
      '/permissions',
      'not_unique',
    ],
    ['permissions that are no list', { permissions: 'keys:read' }, '/permissions', 'wrong_type'],
    ['no permissions', { permissions: undefined }, '/permissions', 'required'],
    ['null for a description', { description: null }, '/description', 'wrong_type'],
    ['a property of the server', { builtIn: true }, '/builtIn', 'unknown_property'],
  ])('400: %s', async (_, change, pointer, code) => {
    const input = { key: 'never-made', name: 'Never made', permissions: ['keys:read'], ...change };
    const answer = await owner.client.post(roles, input);
    expect([answer.status, errorOf(answer)]).toEqual([400, [[pointer, code]]]);
    expect((await owner.client.get(`${roles}/never-made`)).status).toBe(404);
  });

  it('403: nobody makes a role above themselves', async () => {
    const admin = await aPerson(server, organization, { role: 'admin' });
    const { status, body } = await admin.client.post(roles, {
      key: 'too-much',
      name: 'Too much',
      permissions: ['keys:read', 'organization:delete'],
    });
    expect([status, body.code, body.required]).toEqual([
      403,
      'grant_exceeds_permissions',
      'organization:delete',
    ]);
    expect((await owner.client.get(`${roles}/too-much`)).status).toBe(404);
  });

  it('403 without roles:manage', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await account.client.post(roles, {});
    expect([status, body.required]).toEqual([403, 'roles:manage']);
  });

  it.each(['owner', 'taken'])('409: the key %s is taken', async (key) => {
    const input = { key, name: 'Taken', permissions: [] };
    await owner.client.post(roles, { ...input, key: 'taken' });
    const { status, body } = await owner.client.post(roles, input);
    expect([status, body.code]).toEqual([409, 'name_taken']);
  });

  it('409: of two at once with one key exactly one is made', async () => {
    const input = { key: 'at-once', name: 'At once', permissions: [] };
    const answers = await Promise.all([1, 2, 3].map(() => owner.client.post(roles, input)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('GET …/roles/{roleKey}', () => {
  it("404: another organization's role looks like one that does not exist", async () => {
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const { body } = await stranger.client.post(`${other.path}/roles`, {
      key: 'secret-role',
      name: 'Secret',
      permissions: [],
    });
    expect(body.key).toBe('secret-role');
    const theirs = await owner.client.get(`${roles}/secret-role`);
    const nobodys = await owner.client.get(`${roles}/no-such-role`);
    expect(theirs.status).toBe(404);
    expect(asSeen(theirs)).toBe(asSeen(nobodys));
    const through = await owner.client.get(`${other.path}/roles/secret-role`);
    const unknown = other.id.slice(0, -4) + '0000';
    const nowhere = await owner.client.get(`/v1/organizations/${unknown}/roles/secret-role`);
    expect(asSeen(through)).toBe(asSeen(nowhere));
  });

  it('404 for what is no key at all', async () => {
    expect((await owner.client.get(`${roles}/${encodeURIComponent("'; --")}`)).status).toBe(404);
  });
});

describe('PATCH …/roles/{roleKey}', () => {
  it('200: holds for the next request of everybody who has the role', async () => {
    const key = await aRole(['users:read']);
    const account = await aServiceAccount(server, organization, { role: key });
    expect((await account.client.get(`${roles}/${key}`)).status).toBe(403);
    const widened = await owner.client.patch(`${roles}/${key}`, {
      permissions: ['roles:read', 'users:read'],
    });
    expect(widened.status).toBe(200);
    expect(widened.body.permissions).toEqual(['roles:read', 'users:read']);
    expect(widened.body.memberCount).toBe(1);
    expect((await account.client.get(`${roles}/${key}`)).status).toBe(200);
    const narrowed = await owner.client.patch(`${roles}/${key}`, { permissions: [] });
    expect((await account.client.get(`${roles}/${key}`)).status).toBe(403);
    expect(await changesOf(server, narrowed)).toMatchObject([
      {
        action: 'role.updated',
        targets: [{ type: 'role', id: key }],
        changes: { permissions: { before: ['roles:read', 'users:read'], after: [] } },
      },
    ]);
  });

  it('200: a new name is what /v1/me shows next', async () => {
    const key = await aRole(['users:read']);
    const account = await aServiceAccount(server, organization, { role: key });
    expect((await account.client.get('/v1/me')).status).toBe(200);
    await owner.client.patch(`${roles}/${key}`, { name: 'Renamed' });
    expect((await account.client.get('/v1/me')).body.role).toEqual({ key, name: 'Renamed' });
  });

  it('200: what changes nothing is no event', async () => {
    const key = await aRole(['users:read', 'keys:read']);
    const before = (await owner.client.get(`${roles}/${key}`)).body;
    const answer = await owner.client.patch(`${roles}/${key}`, {
      name: before.name,
      permissions: [...before.permissions].reverse(),
    });
    expect([answer.status, answer.body]).toEqual([200, before]);
    expect(await changesOf(server, answer)).toEqual([]);
  });

  it('403 own_role: nobody changes the permissions of the role they have', async () => {
    const key = await aRole(['roles:read', 'roles:manage', 'users:read']);
    const person = await aPerson(server, organization, { role: key });
    const account = await aServiceAccount(server, organization, { role: key });
    for (const { client } of [person, account]) {
      const answer = await client.patch(`${roles}/${key}`, { permissions: ['roles:manage'] });
      expect([answer.status, answer.body.code]).toEqual([403, 'own_role']);
      const renamed = await client.patch(`${roles}/${key}`, {
        name: `By ${client.token?.slice(-4)}`,
      });
      expect(renamed.status).toBe(200);
    }
  });

  it('403: neither the old nor the new permissions may exceed those of the actor', async () => {
    const admin = await aPerson(server, organization, { role: 'admin' });
    const low = await aRole(['users:read']);
    const high = await aRole(['organization:delete']);
    for (const key of [low, high]) {
      const { status, body } = await admin.client.patch(`${roles}/${key}`, {
        permissions: key === low ? ['users:read', 'organization:delete'] : [],
      });
      expect([status, body.code]).toEqual([403, 'grant_exceeds_permissions']);
    }
    expect((await owner.client.get(`${roles}/${high}`)).body.permissions).toEqual([
      'organization:delete',
    ]);
  });

  it('404: an unknown role', async () => {
    expect((await owner.client.patch(`${roles}/no-such-role`, { name: 'X' })).status).toBe(404);
  });

  it('409: a built-in role', async () => {
    const { status, body } = await owner.client.patch(`${roles}/viewer`, { name: 'X' });
    expect([status, body.code]).toEqual([409, 'built_in_role']);
  });
});

describe('DELETE …/roles/{roleKey}', () => {
  it('204: gone, recorded, and 404 from then on', async () => {
    const key = await aRole([]);
    const answer = await owner.client.delete(`${roles}/${key}`);
    expect([answer.status, answer.body]).toEqual([204, undefined]);
    expect(await changesOf(server, answer)).toMatchObject([
      { action: 'role.deleted', targets: [{ type: 'role', id: key }] },
    ]);
    expect((await owner.client.get(`${roles}/${key}`)).status).toBe(404);
    expect((await owner.client.delete(`${roles}/${key}`)).status).toBe(404);
  });

  it('204: deleted accounts do not hold a role', async () => {
    const key = await aRole(['users:read']);
    const account = await aServiceAccount(server, organization, { role: key });
    const busy = await owner.client.delete(`${roles}/${key}`);
    expect([busy.status, busy.body.code]).toEqual([409, 'role_in_use']);
    expect((await owner.client.delete(account.path)).status).toBe(204);
    expect((await owner.client.delete(`${roles}/${key}`)).status).toBe(204);
    expect((await account.client.get('/v1/me')).status).toBe(401);
  });

  it('409: a role that a user has', async () => {
    const key = await aRole([]);
    await aPerson(server, organization, { role: key, status: 'disabled' });
    const { status, body } = await owner.client.delete(`${roles}/${key}`);
    expect([status, body.code]).toEqual([409, 'role_in_use']);
    expect(body.detail).toBe('The role is held by 1 user or service account.');
    await aPerson(server, organization, { role: key });
    const more = await owner.client.delete(`${roles}/${key}`);
    expect(more.body.detail).toBe('The role is held by 2 users or service accounts.');
  });

  it('409: a built-in role', async () => {
    const { status, body } = await owner.client.delete(`${roles}/auditor`);
    expect([status, body.code]).toEqual([409, 'built_in_role']);
  });
});
