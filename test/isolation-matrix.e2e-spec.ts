import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, newPersonId } from '../src/crypto/id.js';
import { type Answer, type Client, startServer, type TestServer } from './harness.js';
import { asSeen } from './same-answer.js';
import { type Operation, OPERATIONS, resolved } from './fields.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';

/**
 * Every place of the OpenAPI document where a caller names a thing (in the path, as a filter, in a body) × a thing of another
 * organization. It must be answered as a thing that does not exist, byte for byte but for the request's id and the thing's own
 * name, and must leave no trace there. `route-matrix` does the same for the organization in the path.
 */
interface Place extends Operation {
  where: 'path' | 'query' | 'body';
  name: string;
}

/** What a parameter or field of this name names. */
const KINDS: Record<string, keyof Things> = {
  serviceAccountId: 'account',
  keyId: 'key',
  userId: 'user',
  ownerId: 'user',
  backupOwnerId: 'user',
  invitationId: 'invitation',
  eventId: 'event',
  roleKey: 'role',
  role: 'role',
  permission: 'permission',
  permissions: 'permission',
  sessionId: 'session',
  actor: 'account',
  key: 'key',
  target: 'key',
  requestId: 'request',
};

/** Of a body only these: `key` and `permission` there are what a new thing is to be called. */
const IN_BODIES = ['ownerId', 'backupOwnerId', 'role', 'permissions'];

interface Things {
  account: string;
  key: string;
  user: string;
  invitation: string;
  event: string;
  role: string;
  permission: string;
  session: string;
  request: string;
}

let server: TestServer;
let organization: TestOrganization;
let other: TestOrganization;
let owner: TestPerson;
let account: Client;
let administrator: Client;
let own: Things;
let foreign: Things;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  other = await anOrganization(server);
  [owner] = [await aPerson(server, organization)];
  account = (await aServiceAccount(server, organization, { role: 'owner' })).client;
  administrator = (await aPerson(server, null, { instanceAdministrator: true })).client;
  own = await things(organization, owner, 'ours');
  foreign = await things(other, await aPerson(server, other), 'them');
});
afterAll(() => server.close());

/** One of everything that can be named, by the API. */
async function things(where: TestOrganization, boss: TestPerson, name: string): Promise<Things> {
  const one = await aServiceAccount(server, where);
  const made = async (path: string, body: object) => {
    const answer = await boss.client.post(where.path + path, body);
    expect(answer.status).toBe(201);
    return answer;
  };
  const user = await made('/users', { email: `${name}@example.com`, name, role: 'viewer' });
  const email = `invited-${name}@example.com`;
  const invitation = await made('/invitations', { email, name, role: 'viewer' });
  await made('/permissions', { permission: `${name}:read`, description: 'Read.' });
  const role = await made('/roles', { key: name, name, permissions: ['users:read'] });
  const requestId = role.headers.get('x-request-id')!;
  const events = await boss.client.get(`${where.path}/audit-events?requestId=${requestId}`);
  return {
    account: one.id,
    key: one.keyId,
    user: user.body.id,
    invitation: invitation.body.invitation?.id ?? invitation.body.id,
    event: events.body.data[0].id,
    role: name,
    permission: `${name}:read`,
    session: boss.sessionId,
    request: requestId,
  };
}

/** Of the same length as the others, as the length of an answer tells something too. */
const nothing = (): Things => ({
  account: newId('sa'),
  key: newId('key'),
  user: newPersonId(),
  invitation: newId('inv'),
  event: newId('evt'),
  role: 'nope',
  permission: 'nope:read',
  session: newId('ses'),
  request: newId('req'),
});

/** All places where something is named, but for the organization. */
const PLACES: Place[] = OPERATIONS.filter(({ path }) => path.startsWith('/v1/')).flatMap(
  (operation) => {
    const named = (where: Place['where'], names: string[]): Place[] =>
      names.filter((name) => KINDS[name]).map((name) => ({ ...operation, where, name }));
    const ofParameters = (where: 'path' | 'query') =>
      named(
        where,
        operation.parameters.filter((one) => one.in === where).map(({ name }) => name),
      );
    const fields = operation.body && resolved(operation.body).properties;
    return [
      ...ofParameters('path'),
      ...ofParameters('query'),
      ...named(
        'body',
        IN_BODIES.filter((name) => fields?.[name]),
      ),
    ];
  },
);

/** A body that is taken, so that what decides is the thing that is named. */
const BODIES: Record<string, object> = {
  keys_create: { name: 'New' },
  serviceAccounts_create: { name: 'New', role: 'viewer' },
  users_create: { email: 'new@example.com', name: 'New', role: 'viewer' },
  invitations_create: { email: 'newer@example.com', name: 'New', role: 'viewer' },
  roles_create: { key: 'new', name: 'New', permissions: [] },
};

function send(client: Client, place: Place, named: Things): Promise<Answer> {
  const { where, name, method } = place;
  const thing = (parameter: string) =>
    (where === 'path' && parameter === name ? named : own)[KINDS[parameter]!];
  const path = place.path
    .replace('{organizationId}', organization.id)
    .replace(/\{(\w+)\}/g, (_, parameter: string) => encodeURIComponent(thing(parameter)));
  const value = named[KINDS[name]!];
  const query = where === 'query' ? `?${name}=${encodeURIComponent(value)}` : '';
  if (method === 'GET' || method === 'DELETE') return client.request(method, path + query);
  const given = where === 'body' ? { [name]: name === 'permissions' ? [value] : value } : {};
  return client.request(method, path + query, { ...BODIES[place.id], ...given });
}

/** As the caller sees it, whatever the thing was called. */
function seen(answer: Answer, named: Things): string {
  return Object.values(named).reduce(
    (text, one) => text.replaceAll(one, '(thing)'),
    asSeen(answer),
  );
}

/** All that a trace could be left in. */
function stateOf(chain: string) {
  return server.database.system(async (tx) => {
    const where = { organizationId: chain };
    const rows = await Promise.all([
      tx.auditEvent.count({ where: { chain } }),
      tx.auditHead.findUniqueOrThrow({ where: { chain } }),
    ]);
    const tables = [
      await tx.serviceAccount.findMany({ where }),
      await tx.key.findMany({ where }),
      await tx.membership.findMany({ where }),
      await tx.invitation.findMany({ where }),
      await tx.role.findMany({ where }),
      await tx.registeredPermission.findMany({ where }),
    ];
    return [...rows, ...tables];
  });
}

it('finds every kind of thing, in paths, filters and bodies', () => {
  expect(PLACES.length).toBeGreaterThan(60);
  const found = (where: string) =>
    new Set(PLACES.filter((place) => place.where === where).map(({ name }) => name));
  const inPaths = OPERATIONS.flatMap(({ path }) => path.match(/(?<=\{)\w+(?=\})/g) ?? []);
  expect(new Set([...found('path'), 'organizationId'])).toEqual(new Set(inPaths));
  expect([...found('query')]).toEqual(expect.arrayContaining(['ownerId', 'actor', 'role']));
  expect(found('body')).toEqual(new Set(IN_BODIES));
});

describe.each(['path', 'query', 'body'] as const)(
  'a thing of another organization in a %s',
  (where) => {
    it('is answered as one that does not exist, byte for byte, and leaves no trace there', async () => {
      const before = await stateOf(other.id);
      for (const place of PLACES.filter((one) => one.where === where)) {
        const { id, name, access } = place;
        const isSystem = access === 'instanceAdministrator';
        const callers = isSystem ? [administrator] : [owner.client, account];
        // Of its own chain the instance shows all, and of organizations nothing: neither thing is there.
        for (const client of callers) {
          const unknown = nothing();
          const [theirs, nobodys] = [
            await send(client, place, foreign),
            await send(client, place, unknown),
          ];
          const told = (answer: string) => [id, name, answer];
          expect(told(seen(theirs, foreign))).toEqual(told(seen(nobodys, unknown)));
          const isRefused = where === 'query' ? theirs.status < 300 : theirs.status >= 400;
          expect([id, name, theirs.status, isRefused]).toEqual([id, name, theirs.status, true]);
        }
      }
      expect(await stateOf(other.id)).toEqual(before);
    });
  },
);

it('one’s own things are found in the same places', async () => {
  const reading = PLACES.filter(({ method, where, access }) => {
    return method === 'GET' && where === 'path' && access !== 'instanceAdministrator';
  });
  expect(reading.length).toBeGreaterThan(8);
  for (const place of reading) {
    const { status } = await send(owner.client, place, own);
    expect([place.id, place.name, status]).toEqual([place.id, place.name, 200]);
  }
});
