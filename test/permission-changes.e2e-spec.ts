import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_PERMISSIONS } from '../src/auth/permissions.js';
import type { FieldError } from '../src/http/problem.js';
import { onPostgres } from './database.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Answer, type Client, startServer, startSibling, changesOf } from './harness.js';
import type { TestServer } from './harness.js';
import { makeRole, permissionsOf, registerPermission } from './permissions.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let permissions: string;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  permissions = `${organization.path}/permissions`;
});
afterAll(() => server.close());

/** A permission that the organization has registered. */
const aPermission = (by = owner.client, path = permissions, namespace = 'reports') =>
  registerPermission(by, path, namespace);
/** A custom role, made by the owner. */
const aRole = (list: string[]) => makeRole(owner.client, `${organization.path}/roles`, list);
/** What the caller may do. */
const heldBy = (client: Client, organizationId = organization.id) =>
  permissionsOf(client, organizationId);

const errorOf = ({ body }: Answer) =>
  body.errors?.map((error: FieldError) => [error.pointer, error.code]);
const codeOf = ({ status, body }: Answer) => [status, body?.code];
const remove = (permission: string, by = owner.client) => by.delete(`${permissions}/${permission}`);

describe('PATCH …/permissions/{permission}', () => {
  it('200: changes the sentence, and records it', async () => {
    const permission = await aPermission();
    const answer = await owner.client.patch(`${permissions}/${permission}`, {
      description: 'Do something else.',
    });
    expect([answer.status, answer.body.description]).toEqual([200, 'Do something else.']);
    expect(await changesOf(server, answer)).toMatchObject([
      {
        action: 'permission.updated',
        targets: [{ type: 'permission', id: permission }],
        changes: {
          description: { before: 'Do something with reports.', after: 'Do something else.' },
        },
      },
    ]);
    const again = await owner.client.patch(`${permissions}/${permission}`, {
      description: 'Do something else.',
    });
    expect([again.status, again.body]).toEqual([200, answer.body]);
    expect(await changesOf(server, again)).toEqual([]);
  });

  it('400: the name is fixed', async () => {
    const permission = await aPermission();
    const answer = await owner.client.patch(`${permissions}/${permission}`, {
      permission: 'reports:other',
    });
    expect(errorOf(answer)).toEqual([['/permission', 'unknown_property']]);
  });

  it('403: nobody rewords what they could not grant', async () => {
    const registrar = await aServiceAccount(server, organization, {
      role: await aRole(['roles:read', 'roles:manage']),
    });
    const permission = await aPermission(registrar.client);
    const answer = await registrar.client.patch(`${permissions}/${permission}`, {
      description: 'Look at the weather.',
    });
    expect([...codeOf(answer), answer.body.required]).toEqual([
      403,
      'grant_exceeds_permissions',
      permission,
    ]);
    const { body } = await owner.client.get(`${permissions}/${permission}`);
    expect(body.description).toBe('Do something with reports.');
  });

  it('404: an unknown permission', async () => {
    const answer = await owner.client.patch(`${permissions}/reports:none`, { description: 'X' });
    expect(answer.status).toBe(404);
  });

  it('409: a built-in permission', async () => {
    const answer = await owner.client.patch(`${permissions}/keys:read`, { description: 'X' });
    expect(codeOf(answer)).toEqual([409, 'built_in_permission']);
  });
});

describe('DELETE …/permissions/{permission}', () => {
  it('204: gone, recorded, and owners and admins lose it with their next request', async () => {
    const admin = await aServiceAccount(server, organization, { role: 'admin' });
    const permission = await aPermission();
    expect(await heldBy(admin.client)).toContain(permission);
    expect(await heldBy(owner.client)).toContain(permission);
    const answer = await remove(permission);
    expect([answer.status, answer.body]).toEqual([204, undefined]);
    expect(await heldBy(admin.client)).not.toContain(permission);
    expect(await heldBy(owner.client)).not.toContain(permission);
    expect(await changesOf(server, answer)).toMatchObject([
      { action: 'permission.removed', targets: [{ type: 'permission', id: permission }] },
    ]);
    expect((await remove(permission)).status).toBe(404);
    const role = { key: 'too-late', name: 'Too late', permissions: [permission] };
    const late = await owner.client.post(`${organization.path}/roles`, role);
    expect(errorOf(late)).toEqual([['/permissions/0', 'unknown_permission']]);
  });

  it('409: names the roles that list it and the usable keys that are restricted to it', async () => {
    const permission = await aPermission();
    const role = await aRole(['users:read', permission]);
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const key = await owner.client.post(`${account.path}/keys`, {
      name: 'K',
      permissions: [permission],
    });
    expect(key.status).toBe(201);
    const both = await remove(permission);
    expect(codeOf(both)).toEqual([409, 'permission_in_use']);
    expect(both.body.detail).toContain(`: ${role};`);
    expect(both.body.detail).toContain(key.body.id);
    const narrowed = await owner.client.patch(`${organization.path}/roles/${role}`, {
      permissions: ['users:read'],
    });
    expect(narrowed.status).toBe(200);
    const byKey = await remove(permission);
    expect(codeOf(byKey)).toEqual([409, 'permission_in_use']);
    expect(byKey.body.detail).not.toContain('roles');
    expect((await owner.client.delete(`${account.path}/keys/${key.body.id}`)).status).toBe(204);
    expect((await remove(permission)).status).toBe(204);
    const { body } = await owner.client.get(`${account.path}/keys/${key.body.id}`);
    expect([body.status, body.permissions]).toEqual(['revoked', [permission]]);
  });

  it('409: names at most ten of each', async () => {
    const permission = await aPermission();
    for (let made = 0; made < 12; made += 1) await aRole([permission]);
    const { body } = await remove(permission);
    expect(body.detail.match(/role-\d+/g)).toHaveLength(10);
    expect(body.detail).toContain('and 2 more');
  });

  it('409: a built-in permission', async () => {
    expect(codeOf(await remove('keys:read'))).toEqual([409, 'built_in_permission']);
  });

  it('403: nobody takes from owners what they do not hold themselves', async () => {
    const registrar = await aServiceAccount(server, organization, {
      role: await aRole(['roles:read', 'roles:manage']),
    });
    const permission = await aPermission();
    expect(codeOf(await remove(permission, registrar.client))).toEqual([
      403,
      'grant_exceeds_permissions',
    ]);
    expect(await heldBy(owner.client)).toContain(permission);
  });

  it('403 without roles:manage', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await remove(await aPermission(), account.client);
    expect([status, body.required]).toEqual([403, 'roles:manage']);
  });

  it('leaves nothing that comes back when the name is registered again', async () => {
    const permission = await aPermission();
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    const expired = await aKey(server, organization, account, {
      permissions: ['users:read', permission],
      expiresAt: new Date(Date.now() - 60_000),
    });
    expect((await remove(permission)).status).toBe(204);
    const again = { permission, description: 'Something else altogether.' };
    expect((await owner.client.post(permissions, again)).status).toBe(201);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const revived = await owner.client.patch(expired.path, { expiresAt });
    expect([revived.status, revived.body.permissions]).toEqual([200, ['users:read']]);
    expect(await heldBy(expired.client)).toEqual(['users:read']);
  });

  it('at the same moment as a role or a key that lists it: one of them wins, none dangles', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    for (let round = 0; round < 12; round += 1) {
      const permission = await aPermission();
      const key = `race-${round}`;
      const input = { key, name: key, permissions: [permission] };
      const granting =
        round % 2 === 0
          ? owner.client.post(`${organization.path}/roles`, input)
          : owner.client.post(`${account.path}/keys`, { name: 'K', permissions: [permission] });
      const [removed, granted] = await Promise.all([remove(permission), granting]);
      const outcome = [removed.status, granted.status];
      expect([
        [204, 400],
        [409, 201],
        // Whoever began after the removal lacks it before anybody asks whether it exists.
        [204, 403],
      ]).toContainEqual(outcome);
      const isThere = (await owner.client.get(`${permissions}/${permission}`)).status === 200;
      expect(isThere).toBe(granted.status === 201);
      if (granted.status === 201 && round % 2 === 1) {
        await owner.client.delete(`${account.path}/keys/${granted.body.id}`);
      }
    }
  });

  it('at the same moment as an expired key gets a longer life: it is in use, or the key has lost it', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    for (let round = 0; round < 6; round += 1) {
      const permission = await aPermission();
      const key = await aKey(server, organization, account, {
        permissions: [permission],
        expiresAt: new Date(Date.now() - 60_000),
      });
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const [removed, revived] = await Promise.all([
        remove(permission),
        owner.client.patch(key.path, { expiresAt }),
      ]);
      expect(revived.status).toBe(200);
      const { body } = await owner.client.get(key.path);
      expect(body.permissions).toEqual(removed.status === 204 ? [] : [permission]);
      expect([204, 409]).toContain(removed.status);
      await owner.client.delete(key.path);
    }
  });
});

describe('a registered permission', () => {
  it('is granted by a custom role and narrowed by a key like any other', async () => {
    const [read, write] = [await aPermission(), await aPermission()];
    const role = await aRole(['users:read', read, write]);
    const account = await owner.client.post(`${organization.path}/service-accounts`, {
      name: `Reports ${role}`,
      role,
      key: { permissions: [read] },
    });
    expect(account.status).toBe(201);
    expect(account.body.key.permissions).toEqual([read]);
    const narrow = server.client.withToken(account.body.key.token);
    expect(await heldBy(narrow)).toEqual([read]);
    const path = `${organization.path}/service-accounts/${account.body.serviceAccount.id}/keys`;
    const whole = await owner.client.post(path, { name: 'Whole' });
    expect(await heldBy(server.client.withToken(whole.body.token))).toEqual(
      [read, write, 'users:read'].sort(),
    );
    const withdrawn = await owner.client.patch(`${organization.path}/roles/${role}`, {
      permissions: ['users:read', write],
    });
    expect(withdrawn.status).toBe(200);
    expect(await heldBy(narrow)).toEqual([]);
  });

  it('is refused to a key whose role lacks it', async () => {
    const permission = await aPermission();
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const lacking = await owner.client.post(`${account.path}/keys`, {
      name: 'K',
      permissions: [permission],
    });
    expect(errorOf(lacking)).toEqual([['/permissions/0', 'not_in_role']]);
    const patched = await owner.client.patch(`${account.path}/keys/${account.keyId}`, {
      permissions: ['reports:unheard-of'],
    });
    expect(errorOf(patched)).toEqual([['/permissions/0', 'unknown_permission']]);
  });

  it('is granted by nobody who lacks it: not in a role, not by a role, a key or an account', async () => {
    const all = ALL_PERMISSIONS.filter((one) => one !== 'organization:delete');
    const manager = await aPerson(server, organization, { role: await aRole([...all]) });
    const beforehand = await aServiceAccount(server, organization, { role: 'admin' });
    // The first by name: a refusal names twenty.
    const permission = await aPermission(owner.client, permissions, 'aaa');
    const role = await aRole([permission]);
    const account = await aServiceAccount(server, organization, { role });
    const disabled = await aServiceAccount(server, organization, { role, status: 'disabled' });
    const { path } = organization;
    const attempts: [string, string, object][] = [
      ['POST', `${path}/roles`, { key: 'mine', name: 'Mine', permissions: [permission] }],
      ['PATCH', `${path}/roles/${role}`, { permissions: [] }],
      ['POST', `${path}/service-accounts`, { name: 'Mine', role }],
      ['POST', `${path}/service-accounts`, { name: 'Mine', role: 'admin' }],
      ['POST', `${path}/users`, { email: 'mine@example.com', name: 'Mine', role: 'admin' }],
      ['PATCH', beforehand.path, { role: 'viewer' }],
      ['POST', `${beforehand.path}/keys`, { name: 'Mine' }],
      ['POST', `${account.path}/keys`, { name: 'Mine' }],
      ['POST', `${disabled.path}/enable`, {}],
    ];
    for (const [method, at, body] of attempts) {
      const isEmpty = at.endsWith('/enable');
      const answer = await manager.client.request(method, at, isEmpty ? undefined : body);
      expect([method, at, ...codeOf(answer)]).toEqual([
        method,
        at,
        403,
        'grant_exceeds_permissions',
      ]);
      expect(answer.body.required.split(' ')).toContain(permission);
    }
  });

  it('is one of the first twenty that a refusal names, however many are missing', async () => {
    const full = await anOrganization(server);
    const by = { createdByType: 'system', createdByName: 'test' };
    const manager = { organizationId: full.id, key: 'manager', name: 'Manager' };
    await server.database.system(async (tx) => {
      await tx.registeredPermission.createMany({
        data: Array.from({ length: 500 }, (_, index) => ({
          organizationId: full.id,
          permission: `${'x'.repeat(120)}:${index + 100}`,
          description: 'A long name.',
          ...by,
        })),
      });
      await tx.role.create({ data: { ...manager, permissions: [...ALL_PERMISSIONS] } });
    });
    const { client } = await aPerson(server, full, { role: 'manager' });
    const input = { name: 'Too much', role: 'admin' };
    const answer = await client.post(`${full.path}/service-accounts`, input);
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    expect(answer.body.required.split(' ')).toHaveLength(20);
    expect(answer.body.detail).toContain('480 more');
    expect(answer.headers.get('www-authenticate')!.length).toBeLessThan(4096);
  });

  it('can be granted by an admin, who holds it', async () => {
    const permission = await aPermission();
    const admin = await aPerson(server, organization, { role: 'admin' });
    const role = { key: 'by-admin', name: 'By an admin', permissions: [permission] };
    const made = await admin.client.post(`${organization.path}/roles`, role);
    expect(made.status).toBe(201);
    const account = await admin.client.post(`${organization.path}/service-accounts`, {
      name: 'By an admin',
      role: 'by-admin',
    });
    expect(await heldBy(server.client.withToken(account.body.key.token))).toEqual([permission]);
    const another = { name: 'Another admin', role: 'admin' };
    const same = await admin.client.post(`${organization.path}/service-accounts`, another);
    expect(same.status).toBe(201);
  });

  it('opens no operation of this API', async () => {
    const role = await aRole([await aPermission()]);
    const account = await aServiceAccount(server, organization, { role });
    const { status, body } = await account.client.get(permissions);
    expect([status, body.required]).toEqual([403, 'roles:read']);
  });
});

(onPostgres ? describe : describe.skip)('on another instance', () => {
  it('owners hold it, and lose it, with the next request', async () => {
    const sibling = await startSibling(server);
    try {
      const account = await aServiceAccount(server, organization, { role: 'owner' });
      const there = sibling.client.withToken(account.token);
      for (let round = 0; round < 5; round += 1) {
        await heldBy(there);
        const permission = await aPermission();
        expect(await heldBy(there)).toContain(permission);
        expect((await remove(permission)).status).toBe(204);
        expect(await heldBy(there)).not.toContain(permission);
      }
    } finally {
      await sibling.close();
    }
  });
});
