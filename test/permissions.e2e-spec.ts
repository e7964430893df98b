import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_PERMISSIONS } from '../src/auth/permissions.js';
import type { FieldError } from '../src/http/problem.js';
import type { OrganizationPermission } from '../src/permissions/permissions.dto.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Answer, type Client, startServer, changesOf } from './harness.js';
import type { TestServer } from './harness.js';
import { makeRole, permissionsOf, registerPermission } from './permissions.js';
import { asSeen } from './same-answer.js';

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
const namesOf = ({ body }: Answer) =>
  body.data.map((entry: OrganizationPermission) => entry.permission);

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
    expect(await changesOf(server, answer)).toEqual([
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
    expect(await changesOf(server, second)).toEqual([]);
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
