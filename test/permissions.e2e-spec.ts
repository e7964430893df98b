import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_PERMISSIONS } from '../src/auth/permissions.js';
import type { FieldError } from '../src/http/problem.js';
import type { OrganizationPermission } from '../src/permissions/permissions.dto.js';
import { onPostgres } from './database.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Answer, type Client, eventsOf, startServer, startSibling } from './harness.js';
import type { TestServer } from './harness.js';
import { asSeen } from './same-answer.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let permissions: string;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  permissions = `${organization.path}/permissions`;
});
afterAll(() => server.close());

/** A permission that the organization has registered. */
async function aPermission(
  by = owner.client,
  path = permissions,
  namespace = 'reports',
): Promise<string> {
  const permission = `${namespace}:action-${(counter += 1)}`;
  const answer = await by.post(path, { permission, description: 'Do something with reports.' });
  expect([answer.status, answer.body.code]).toEqual([201, undefined]);
  return permission;
}

/** A custom role, made by the owner. */
async function aRole(list: string[]): Promise<string> {
  const key = `role-${(counter += 1)}`;
  const input = { key, name: `Role ${counter}`, permissions: list };
  expect((await owner.client.post(`${organization.path}/roles`, input)).status).toBe(201);
  return key;
}

/** What the caller may do, as `/v1/me` shows it. */
async function heldBy(client: Client, organizationId = organization.id): Promise<string[]> {
  const { status, body } = await client.get('/v1/me');
  expect(status).toBe(200);
  if (body.kind === 'serviceAccount') return body.permissions;
  return body.organizations.find(({ id }: { id: string }) => id === organizationId).permissions;
}

/** The events that a request has put on the trail besides its own `http.request`. */
async function changesOf(answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  const events = await eventsOf(server, { requestId });
  return events.map(({ event }) => event).filter(({ action }) => action !== 'http.request');
}

const errorOf = ({ body }: Answer) =>
  body.errors?.map((error: FieldError) => [error.pointer, error.code]);
const codeOf = ({ status, body }: Answer) => [status, body?.code];
const namesOf = ({ body }: Answer) =>
  body.data.map((entry: OrganizationPermission) => entry.permission);
const remove = (permission: string, by = owner.client) => by.delete(`${permissions}/${permission}`);

describe('GET …/permissions', () => {
  it('200: one list of what roles can grant, built-in and registered, each explained', async () => {
    const permission = await aPermission();
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await account.client.get(`${permissions}?limit=200`);
    expect(status).toBe(200);
    expect(body.data).toEqual(
      expect.arrayContaining([
        {
          permission: 'keys:manage',
          description: 'Create, change, rotate and revoke keys.',
          builtIn: true,
          createdBy: null,
          createdAt: null,
          updatedAt: null,
        },
        {
          permission,
          description: 'Do something with reports.',
          builtIn: false,
          createdBy: { type: 'user', id: owner.id, name: owner.name },
          createdAt: expect.stringMatching(/^20.*Z$/),
          updatedAt: expect.stringMatching(/^20.*Z$/),
        },
      ]),
    );
    const builtIn = await account.client.get(`${permissions}?builtIn=true&limit=200`);
    expect(namesOf(builtIn).sort()).toEqual([...ALL_PERMISSIONS].sort());
    const registered = await account.client.get(`${permissions}?builtIn=false&limit=200`);
    expect(namesOf(registered)).toContain(permission);
    expect(namesOf(registered).length + ALL_PERMISSIONS.length).toBe(body.data.length);
  });

  it('200: finds by name and by description, % and _ meaning themselves', async () => {
    const permission = await aPermission();
    const search = (text: string) =>
      owner.client.get(`${permissions}?limit=200&search=${encodeURIComponent(text)}`);
    expect(namesOf(await search(permission.toUpperCase()))).toContain(permission);
    expect(namesOf(await search('WITH reports'))).toContain(permission);
    expect(namesOf(await search('shown obfuscated'))).toEqual(['keys:read']);
    expect(namesOf(await search('_'))).toEqual([]);
  });

  it.each(['permission', '-permission', 'createdAt', '-createdAt'])(
    '200: pages sorted by %s hold every permission once',
    async (sort) => {
      await aPermission();
      const whole = namesOf(await owner.client.get(`${permissions}?limit=200&sort=${sort}`));
      const found: string[] = [];
      for (let after = ''; ;) {
        const answer = await owner.client.get(`${permissions}?limit=4&sort=${sort}${after}`);
        found.push(...namesOf(answer));
        if (answer.body.paging.next === undefined) break;
        after = `&after=${answer.body.paging.next.after}`;
      }
      expect(found).toEqual(whole);
      expect(new Set(found).size).toBe(found.length);
    },
  );

  it('400: an unknown sort, a filter that is no boolean, a cursor of another list', async () => {
    expect(errorOf(await owner.client.get(`${permissions}?sort=description`))).toEqual([
      ['/sort', 'not_allowed'],
    ]);
    expect(errorOf(await owner.client.get(`${permissions}?builtIn=1`))).toEqual([
      ['/builtIn', 'wrong_type'],
    ]);
    const { body } = await owner.client.get(`${organization.path}/roles?limit=1`);
    const after = body.paging.next.after as string;
    expect(errorOf(await owner.client.get(`${permissions}?after=${after}`))).toEqual([
      ['/after', 'invalid_cursor'],
    ]);
  });

  it('403 without roles:read', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    const { status, body } = await account.client.get(permissions);
    expect([status, body.required]).toEqual([403, 'roles:read']);
  });
});

describe('POST …/permissions', () => {
  it('201: registers it, says where it is, and records it', async () => {
    const input = { permission: 'reports.monthly:download', description: 'Download the months.' };
    const answer = await owner.client.post(permissions, input);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${permissions}/reports.monthly:download`);
    expect(answer.body).toEqual({
      ...input,
      builtIn: false,
      createdBy: { type: 'user', id: owner.id, name: owner.name },
      createdAt: expect.stringMatching(/^20.*Z$/),
      updatedAt: answer.body.createdAt,
    });
    expect((await owner.client.get(answer.headers.get('location')!)).body).toEqual(answer.body);
    const target = {
      type: 'permission',
      id: 'reports.monthly:download',
      name: 'reports.monthly:download',
    };
    expect(await changesOf(answer)).toEqual([
      expect.objectContaining({
        action: 'permission.registered',
        actor: { type: 'user', id: owner.id, name: owner.name },
        targets: [target],
        changes: { description: { before: null, after: 'Download the months.' } },
      }),
    ]);
    const trail = await owner.client.get(`${organization.path}/audit-events?target=${target.id}`);
    expect(trail.body.data).toEqual([expect.objectContaining({ targets: [target] })]);
  });

  it('201: owners and admins hold it with their next request, cached keys too; nobody else does', async () => {
    const roles = ['owner', 'admin', 'viewer', 'provisioner', 'auditor'] as const;
    const callers = await Promise.all(
      roles.map(async (role) => ({
        role,
        person: (await aPerson(server, organization, { role })).client,
        account: (await aServiceAccount(server, organization, { role })).client,
      })),
    );
    for (const { account } of callers) await heldBy(account);
    const permission = await aPermission();
    for (const { role, person, account } of callers) {
      const isHeld = role === 'owner' || role === 'admin';
      expect([role, (await heldBy(account)).includes(permission)]).toEqual([role, isHeld]);
      expect([role, (await heldBy(person)).includes(permission)]).toEqual([role, isHeld]);
    }
  });

  it('201: the roles owner and admin show it, as what they permit here', async () => {
    const permission = await aPermission();
    for (const key of ['owner', 'admin']) {
      const { body } = await owner.client.get(`${organization.path}/roles/${key}`);
      expect(body.permissions).toContain(permission);
    }
    const { body } = await owner.client.get(`${organization.path}/roles?limit=200`);
    const holders = body.data.filter((role: { permissions: string[] }) =>
      role.permissions.includes(permission),
    );
    expect(holders.map(({ key }: { key: string }) => key).sort()).toEqual(['admin', 'owner']);
  });

  it('201: is known in its own organization only', async () => {
    const permission = await aPermission();
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    expect(await heldBy(stranger.client, other.id)).not.toContain(permission);
    const role = { key: 'foreign', name: 'Foreign', permissions: [permission] };
    const answer = await stranger.client.post(`${other.path}/roles`, role);
    expect(errorOf(answer)).toEqual([['/permissions/0', 'unknown_permission']]);
    expect(await aPermission(stranger.client, `${other.path}/permissions`)).not.toBe(permission);
  });

  it('201: whoever registers gains nothing by that, unless owner or admin', async () => {
    const registrar = await aServiceAccount(server, organization, {
      role: await aRole(['roles:read', 'roles:manage', 'keys:manage', 'service-accounts:manage']),
    });
    const permission = await aPermission(registrar.client);
    expect(await heldBy(registrar.client)).not.toContain(permission);
    const role = { key: 'sneaky', name: 'Sneaky', permissions: [permission] };
    const granted = await registrar.client.post(`${organization.path}/roles`, role);
    expect([...codeOf(granted), granted.body.required]).toEqual([
      403,
      'grant_exceeds_permissions',
      permission,
    ]);
    const key = await registrar.client.post(`${registrar.path}/keys`, {
      name: 'K',
      permissions: [permission],
    });
    expect([key.status, errorOf(key)]).toEqual([400, [['/permissions/0', 'not_in_role']]]);
  });

  it('201: a retry with the same Idempotency-Key registers once', async () => {
    const input = { permission: 'reports:retried', description: 'Once.' };
    const headers = { 'idempotency-key': 'register-once' };
    const first = await owner.client.post(permissions, input, headers);
    const second = await owner.client.post(permissions, input, headers);
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(await changesOf(second)).toEqual([]);
  });

  it.each([
    ['no permission', { permission: undefined }, '/permission', 'required'],
    ['a name that is none', { permission: 'reports' }, '/permission', 'invalid_format'],
    ['upper case', { permission: 'Reports:Read' }, '/permission', 'invalid_format'],
    ['two scopes in one', { permission: 'a:b c:d' }, '/permission', 'invalid_format'],
    ['a name too long', { permission: `a:${'b'.repeat(127)}` }, '/permission', 'too_long'],
    ['a built-in one', { permission: 'keys:read' }, '/permission', 'reserved_namespace'],
    ['a built-in namespace', { permission: 'keys:eat' }, '/permission', 'reserved_namespace'],
    ['a part of one', { permission: 'keys.old:eat' }, '/permission', 'reserved_namespace'],
    ['no description', { description: undefined }, '/description', 'required'],
    ['an empty description', { description: '' }, '/description', 'too_short'],
    ['two lines', { description: 'a\nb' }, '/description', 'invalid_format'],
    ['a property of the server', { builtIn: true }, '/builtIn', 'unknown_property'],
    ['another organization', { organizationId: 'org_x' }, '/organizationId', 'unknown_property'],
  ])('400: %s', async (_, change, pointer, code) => {
    const input = { permission: 'reports:never', description: 'Never made.', ...change };
    const answer = await owner.client.post(permissions, input);
    expect([answer.status, errorOf(answer)]).toEqual([400, [[pointer, code]]]);
    expect((await owner.client.get(`${permissions}/reports:never`)).status).toBe(404);
  });

  it('403 without roles:manage', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await account.client.post(permissions, {});
    expect([status, body.required]).toEqual([403, 'roles:manage']);
  });

  it('409: of three at once with one name exactly one is made', async () => {
    const input = { permission: 'reports:at-once', description: 'At once.' };
    const answers = await Promise.all([1, 2, 3].map(() => owner.client.post(permissions, input)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const taken = answers.filter(({ status }) => status === 409);
    expect(taken.map(({ body }) => body.code)).toEqual(['name_taken', 'name_taken']);
  });

  it('409: at the limit of 500, of three at once exactly the last one that fits is made', async () => {
    const full = await anOrganization(server);
    const { client } = await aPerson(server, full);
    const by = { createdByType: 'system', createdByName: 'test' };
    await server.database.system((tx) =>
      tx.registeredPermission.createMany({
        data: Array.from({ length: 499 }, (_, index) => ({
          organizationId: full.id,
          permission: `reports:full-${index}`,
          description: 'One of many.',
          ...by,
        })),
      }),
    );
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        client.post(`${full.path}/permissions`, {
          permission: `reports:${name}`,
          description: 'The last.',
        }),
      ),
    );
    expect(answers.map(codeOf).sort()).toEqual([
      [201, undefined],
      [409, 'permission_limit'],
      [409, 'permission_limit'],
    ]);
    // All of them can stand in one role.
    const everything = {
      key: 'everything',
      name: 'Everything',
      permissions: await heldBy(client, full.id),
    };
    expect(everything.permissions.length).toBe(500 + ALL_PERMISSIONS.length);
    expect((await client.post(`${full.path}/roles`, everything)).status).toBe(201);
  });
});

describe('GET …/permissions/{permission}', () => {
  it('200: a built-in one', async () => {
    const { status, body } = await owner.client.get(`${permissions}/audit:read`);
    expect([status, body.builtIn]).toEqual([200, true]);
    const { body: escaped } = await owner.client.get(`${permissions}/audit%3Aread`);
    expect(escaped).toEqual(body);
  });

  it("404: another organization's looks like one that does not exist", async () => {
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const permission = await aPermission(stranger.client, `${other.path}/permissions`);
    const theirs = await owner.client.get(`${permissions}/${permission}`);
    const nobodys = await owner.client.get(`${permissions}/reports:nobodys`);
    expect(theirs.status).toBe(404);
    expect(asSeen(theirs)).toBe(asSeen(nobodys));
    for (const method of ['PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? { description: 'Mine.' } : undefined;
      const answer = await owner.client.request(method, `${permissions}/${permission}`, body);
      expect(answer.status).toBe(404);
    }
    expect((await stranger.client.get(`${other.path}/permissions/${permission}`)).status).toBe(200);
  });

  it('404 for what is no permission at all', async () => {
    for (const name of ["'; --", 'reports', '*', 'reports:x y', 'keys:eat']) {
      const answer = await owner.client.get(`${permissions}/${encodeURIComponent(name)}`);
      expect([name, answer.status]).toEqual([name, 404]);
    }
  });
});

describe('PATCH …/permissions/{permission}', () => {
  it('200: changes the sentence, and records it', async () => {
    const permission = await aPermission();
    const answer = await owner.client.patch(`${permissions}/${permission}`, {
      description: 'Do something else.',
    });
    expect([answer.status, answer.body.description]).toEqual([200, 'Do something else.']);
    expect(await changesOf(answer)).toMatchObject([
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
    expect(await changesOf(again)).toEqual([]);
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
    expect(await changesOf(answer)).toMatchObject([
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
