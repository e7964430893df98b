import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUILT_IN_ROLES, type BuiltInRoleKey } from '../src/auth/permissions.js';
import { newId } from '../src/crypto/id.js';
import { type Client, startServer, type TestServer } from './harness.js';
import { postForm } from './oauth.js';
import { anOrganization, aPerson, aServiceAccount, type TestOrganization } from './factories.js';
import { from, nobodys } from './strangers.js';

/**
 * Every operation of the OpenAPI document × every built-in role × {no credential, user, service
 * account}. What must be let in follows from the document's `x-required-permission` and the catalogue
 * alone; resources are unknown ids, so that whoever is let in meets 404 or 400 and changes nothing.
 */
interface Operation {
  id: string;
  method: string;
  path: string;
  /** Absent on public operations. */
  access: string | undefined;
  /** What it takes, where that is not JSON. */
  takes: 'csv' | 'form' | undefined;
}

const ROLES = Object.keys(BUILT_IN_ROLES) as BuiltInRoleKey[];
const VERBS = ['get', 'post', 'patch', 'delete', 'put'];
/** They end what the others need, so they come last. */
const LAST = ['sessions_endCurrent', 'organizations_delete'];

let server: TestServer;
let organization: TestOrganization;
let operations: Operation[];

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  const { body } = await server.client.get('/openapi.json');
  operations = Object.entries<any>(body.paths)
    .flatMap(([path, item]) =>
      VERBS.filter((verb) => item[verb]).map((verb) => ({
        id: item[verb].operationId,
        method: verb.toUpperCase(),
        path,
        access: accessOf(item[verb]),
        takes: takenBy(item[verb].requestBody?.content ?? {}),
      })),
    )
    .filter(({ path }) => /^\/(?:v1|oauth)\//.test(path))
    .sort((a, b) => LAST.indexOf(a.id) - LAST.indexOf(b.id));
});
afterAll(() => server.close());

/** The document says `none` for public operations. */
function accessOf(operation: Record<string, string>): string | undefined {
  const access = operation['x-required-permission'];
  return access === 'none' ? undefined : access;
}

function takenBy(content: object): Operation['takes'] {
  if ('text/csv' in content) return 'csv';
  return 'application/x-www-form-urlencoded' in content ? 'form' : undefined;
}

function call(client: Client, { method, path, takes }: Operation, own = organization) {
  const headers = from();
  const url = nobodys(path, own.id);
  if (takes === 'form') {
    // An unknown token: whoever is let in is told that there is nothing to tell.
    return postForm(client, url, { token: 'x' }, headers);
  }
  if (takes === 'csv') {
    return client.request(method, url, 'nothing\n', { ...headers, 'content-type': 'text/csv' });
  }
  const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
  return client.request(method, url, body, headers);
}

/** Whether the catalogue lets a caller of this role through the guards. */
function isAllowed(
  { access, path }: Operation,
  role: BuiltInRoleKey,
  kind: 'user' | 'serviceAccount',
): boolean {
  if (access === undefined || access === 'any') return true;
  if (access === 'user' || access === 'serviceAccount') return kind === access;
  if (access === 'instanceAdministrator') return false;
  if (access === 'keys:rotate-own' && kind === 'user') return false; // people have no keys
  // Under /oauth no path names the organization in which a person would have a role.
  if (path.startsWith('/oauth/') && kind === 'user') return false;
  return (BUILT_IN_ROLES[role].permissions as readonly string[]).includes(access);
}

/** What the guards answered for one operation: undefined when they let it through. */
async function refusal(client: Client, operation: Operation, own: TestOrganization) {
  const { status, body } = await call(client, operation, own);
  if (status === 401) return 401;
  const isGuards = ['insufficient_scope', 'people_only', 'service_accounts_only'].includes(
    body?.code,
  );
  return status === 403 && isGuards ? 403 : undefined;
}

it('knows every operation’s access', () => {
  expect(operations.length).toBeGreaterThan(40);
  const open = operations.filter(({ access }) => access === undefined).map(({ id }) => id);
  expect(open.sort()).toEqual([
    'invitations_accept',
    'passwordResets_confirm',
    'passwordResets_create',
    'sessions_create',
    'setup_create',
  ]);
});

describe('without a credential', () => {
  it('every protected operation answers 401 with a challenge', async () => {
    for (const operation of operations.filter(({ access }) => access !== undefined)) {
      const { status, headers } = await call(server.client, operation);
      expect({ id: operation.id, status }).toEqual({ id: operation.id, status: 401 });
      const basic = operation.path.startsWith('/oauth/')
        ? 'Basic realm="claviger", charset="UTF-8", '
        : '';
      expect(headers.get('www-authenticate')).toBe(`${basic}Bearer realm="claviger"`);
    }
  });
});

describe.each(ROLES)('with the role %s', (role) => {
  it.each(['user', 'serviceAccount'] as const)(
    'a %s may do what the catalogue says, and nothing else',
    async (kind) => {
      const own = await anOrganization(server);
      const aCaller = async () =>
        kind === 'user'
          ? (await aPerson(server, own, { role })).client
          : (await aServiceAccount(server, own, { role })).client;
      await aPerson(server, own); // so that nobody is the last owner
      let client = await aCaller();
      for (const operation of operations) {
        const { id, access } = operation;
        if (access === undefined) continue;
        const expected = isAllowed(operation, role, kind) ? undefined : 403;
        expect({ id, refused: await refusal(client, operation, own) }).toEqual({
          id,
          refused: expected,
        });
        if (LAST.includes(id) && id.startsWith('sessions')) client = await aCaller();
      }
    },
  );
});

describe('an instance administrator', () => {
  it('may do what only they may, and nothing in organizations of others', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const own = await anOrganization(server);
    for (const operation of operations) {
      if (operation.access === undefined || LAST.includes(operation.id)) continue;
      const { status, body } = await call(administrator.client, operation, own);
      const isInside = operation.path.includes('{organizationId}');
      if (operation.access === 'instanceAdministrator') expect([401, 403]).not.toContain(status);
      else if (isInside)
        expect({ id: operation.id, status, code: body.code }).toMatchObject({ status: 404 });
    }
  });
});

describe('another organization', () => {
  it('does not exist: every operation answers what an unknown organization gets, byte for byte', async () => {
    const other = await anOrganization(server);
    const unknown = { id: newId('org'), name: 'Nobody', path: '' };
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    for (const client of [owner.client, account.client]) {
      for (const operation of operations.filter(({ path }) => path.includes('{organizationId}'))) {
        if (operation.access === 'instanceAdministrator') continue;
        const [foreign, missing] = [
          await call(client, operation, other),
          await call(client, operation, unknown),
        ];
        expect({ id: operation.id, status: foreign.status }).toEqual({
          id: operation.id,
          status: 404,
        });
        const anonymous = ({ body }: typeof foreign) =>
          JSON.stringify(body).replaceAll(body.requestId, 'req');
        expect(anonymous(foreign)).toBe(anonymous(missing));
      }
    }
    const events = await server.database.system((tx) =>
      tx.auditEvent.count({ where: { chain: other.id } }),
    );
    expect(events).toBe(0);
  });
});
