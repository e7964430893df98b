import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  PASSWORD,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Operation, OPERATIONS } from './fields.js';
import { type Answer, type Client, startServer, type TestServer } from './harness.js';
import { makeStale } from './stale.js';
import { from, nobodys } from './strangers.js';

/**
 * Every operation that the OpenAPI document says is dangerous, as it is called by somebody who has not proved their password for too
 * long, by the same person after a new proof, and by a service account; and every other one by somebody whose proof is too old.
 */
const DANGEROUS = OPERATIONS.filter(({ isDangerous }) => isDangerous);
const STALE = [401, 'reauthentication_required'];

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
});
afterAll(() => server.close());

/** An organization with one of everything that an operation can be about. */
interface Scene {
  organization: TestOrganization;
  owner: TestPerson;
  administrator: TestPerson;
  account: Client;
  ids: Record<string, string>;
}

async function aScene(): Promise<Scene> {
  const organization = await anOrganization(server);
  const owner = await aPerson(server, organization);
  const administrator = await aPerson(server, organization, { instanceAdministrator: true });
  const account = await aServiceAccount(server, organization, { role: 'owner' });
  const other = await aServiceAccount(server, organization);
  const made = async (path: string, body: object) => {
    const answer = await owner.client.post(organization.path + path, body);
    expect(answer.status).toBe(201);
    return answer.body;
  };
  const id = owner.id;
  const user = { email: `user-${id}@example.com`, name: 'User', role: 'viewer', invite: false };
  const { id: userId } = await made('/users', user);
  const invited = { email: `invited-${id}@example.com`, name: 'Invited', role: 'viewer' };
  const invitation = await made('/invitations', invited);
  await made('/roles', { key: 'ours', name: 'Ours', permissions: [] });
  const ids = {
    organizationId: organization.id,
    serviceAccountId: other.id,
    keyId: other.keyId,
    userId,
    invitationId: invitation.id,
    roleKey: 'ours',
  };
  return { organization, owner, administrator, account: account.client, ids };
}

/** A body for each operation that it does something with; those that are not here need none. */
const BODIES: Record<string, object | string> = {
  imports_users: 'email,name,role\nimported@example.com,Imported,viewer\n',
  invitations_create: { email: 'new@example.com', name: 'New', role: 'viewer' },
  keys_create: { name: 'New' },
  keys_rotate: { overlapSeconds: 60 },
  keys_update: { name: 'Another' },
  organizations_update: { settings: { maxKeysPerServiceAccount: 50 } },
  roles_create: { key: 'new', name: 'New', permissions: ['users:read'] },
  roles_update: { permissions: ['users:read'] },
  serviceAccounts_create: { name: 'New', role: 'viewer' },
  serviceAccounts_update: { role: 'auditor' },
  signingKeys_rotate: {},
  users_create: { email: 'newer@example.com', name: 'New', role: 'viewer' },
  users_update: { role: 'auditor' },
};

function call({ id, method, path }: Operation, client: Client, { ids }: Scene): Promise<Answer> {
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name]!);
  const body = BODIES[id];
  const headers = typeof body === 'string' ? { ...from(), 'content-type': 'text/csv' } : from();
  return client.request(method, url, body, headers);
}

const callerOf = ({ access }: Operation, { owner, administrator }: Scene): TestPerson =>
  access === 'instanceAdministrator' ? administrator : owner;

const codeOf = ({ status, body }: Answer) => [status, body?.code];

/** All rows that an operation of a scene could change, in no order, and how many changes are on the trail. */
async function state({ organization: { id } }: Scene): Promise<string[]> {
  const where = { organizationId: id };
  const tables = await server.database.system(async (tx) => [
    await tx.organization.findMany({ where: { id } }),
    await tx.membership.findMany({ where }),
    await tx.invitation.findMany({ where }),
    await tx.role.findMany({ where }),
    await tx.serviceAccount.findMany({ where, omit: { lastUsedAt: true } }),
    await tx.key.findMany({ where, omit: { lastUsedAt: true, lastUsedIp: true } }),
    await tx.signingKey.findMany({ omit: { sealedPrivateKey: true } }),
    [await tx.auditEvent.count({ where: { action: { not: 'http.request' } } })],
  ]);
  return tables
    .flat()
    .map((row) => JSON.stringify(row))
    .sort();
}

/** What has to be done before an operation has something to do. */
const FIRST: Record<string, string> = {
  organizations_resume: 'organizations_suspend',
  serviceAccounts_enable: 'serviceAccounts_disable',
  users_enable: 'users_disable',
};

async function aSceneFor({ id }: Operation): Promise<Scene> {
  const scene = await aScene();
  const first = OPERATIONS.find((one) => one.id === FIRST[id]);
  if (first !== undefined) {
    expect((await call(first, callerOf(first, scene).client, scene)).status).toBe(200);
  }
  return scene;
}

it('knows what is dangerous', () => {
  expect(DANGEROUS.map(({ id }) => id).sort()).toEqual([
    'imports_users',
    'invitations_create',
    'invitations_resend',
    'keys_create',
    'keys_rotate',
    'keys_update',
    'organizations_delete',
    'organizations_resume',
    'organizations_suspend',
    'organizations_update',
    'roles_create',
    'roles_update',
    'serviceAccounts_create',
    'serviceAccounts_delete',
    'serviceAccounts_enable',
    'serviceAccounts_update',
    'signingKeys_rotate',
    'users_create',
    'users_enable',
    'users_invite',
    'users_update',
  ]);
});

describe.each(DANGEROUS.map((operation) => [operation.id, operation] as const))(
  '%s',
  (_id, operation) => {
    it('of a person: 401 and nothing is changed, until they have proved their password again', async () => {
      const scene = await aSceneFor(operation);
      const person = callerOf(operation, scene);
      await makeStale(server, person);
      const before = await state(scene);
      expect(codeOf(await call(operation, person.client, scene))).toEqual(STALE);
      expect(await state(scene)).toEqual(before);
      const path = '/v1/sessions/current/reauthenticate';
      const proof = await person.client.post(path, { password: PASSWORD }, from());
      expect(proof.status).toBe(204);
      const proved = await state(scene);
      const answer = await call(operation, person.client, scene);
      expect([answer.status < 300, codeOf(answer)]).toEqual([true, codeOf(answer)]);
      expect(await state(scene)).not.toEqual(proved);
    });

    it('of a person who may not do it: their proof is not asked for', async () => {
      const scene = await aScene();
      const viewer = await aPerson(server, scene.organization, { role: 'viewer' });
      const stranger = await aPerson(server, null);
      for (const person of [viewer, stranger]) await makeStale(server, person);
      const refused = await call(operation, viewer.client, scene);
      expect(codeOf(refused)).not.toEqual(STALE);
      expect([403, 404]).toContain(refused.status);
      if (operation.path.includes('{organizationId}')) {
        expect((await call(operation, stranger.client, scene)).status).toBe(404);
      }
    });

    if (operation.access === 'instanceAdministrator') return;

    it('of a service account: is not concerned', async () => {
      const scene = await aSceneFor(operation);
      const answer = await call(operation, scene.account, scene);
      expect([answer.status < 300, codeOf(answer)]).toEqual([true, codeOf(answer)]);
    });
  },
);

it('everything else goes on with a proof that is too old', async () => {
  const { organization, owner, administrator } = await aScene();
  const LAST = 'sessions_endCurrent';
  const others = OPERATIONS.filter(({ id, isDangerous }) => !isDangerous && id !== LAST);
  expect(others.length).toBeGreaterThan(30);
  for (const person of [owner, administrator]) {
    await makeStale(server, person);
    for (const { id, method, path } of others) {
      const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
      const url = nobodys(path, organization.id);
      const answer = await person.client.request(method, url, body, from());
      expect([id, codeOf(answer)]).not.toEqual([id, STALE]);
    }
    expect((await person.client.delete('/v1/sessions/current')).status).toBe(204);
  }
});
