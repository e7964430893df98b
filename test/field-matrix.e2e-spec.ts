import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { BODY_LIMIT } from '../src/http/body-parser.js';
import { type Client, startServer, type TestServer } from './harness.js';
import { postForm } from './oauth.js';
import { BAD_TEXTS, beyond, faultsOf, type Operation, OPERATIONS, resolved } from './fields.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  PASSWORD,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { from } from './strangers.js';

/**
 * Every field of every body, every parameter of every query and path of the OpenAPI document × what no such field takes: NUL, lone
 * surrogates, null, other types, what is none of its fields, what is just beyond the limits that the document states. It is 400, names
 * the field and no other, and changes nothing.
 */
let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let account: TestServiceAccount;
let administrator: Client;
/** Without people: where there are some a set-up is over. */
let empty: TestServer;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
  account = await aServiceAccount(server, organization, { role: 'owner' });
  administrator = (await aPerson(server, null, { instanceAdministrator: true })).client;
  empty = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  const made = { permission: 'ours:read', description: 'Read.' };
  await owner.client.post(`${organization.path}/permissions`, made);
  await owner.client.post(`${organization.path}/roles`, {
    key: 'ours',
    name: 'O',
    permissions: [],
  });
});
afterAll(() => Promise.all([server.close(), empty.close()]));

/** What each body needs to be taken; everything else in it may be left out. */
const EMAIL = 'new@example.com';
const TOKEN = `clvi_${'0'.repeat(26)}_${'0'.repeat(49)}`;
const VALID: Record<string, Record<string, unknown>> = {
  InvitationAcceptInput: { token: TOKEN },
  InvitationCreateInput: { email: EMAIL, name: 'New', role: 'viewer' },
  KeyCreateInput: { name: 'New' },
  LoginInput: { email: EMAIL, password: PASSWORD },
  OrganizationCreateInput: { name: 'New' },
  PasswordChangeInput: { currentPassword: PASSWORD, newPassword: `${PASSWORD}, too` },
  PasswordResetConfirmInput: { token: TOKEN, password: PASSWORD },
  PasswordResetInput: { email: EMAIL },
  ReauthenticationInput: { password: PASSWORD },
  PermissionCreateInput: { permission: 'new:read', description: 'New.' },
  RoleCreateInput: { key: 'new', name: 'New', permissions: [] },
  ServiceAccountCreateInput: { name: 'New', role: 'viewer' },
  SetupInput: {
    token: TOKEN,
    email: EMAIL,
    password: PASSWORD,
    name: 'New',
    organizationName: 'New',
  },
  UserCreateInput: { email: EMAIL, name: 'New', role: 'viewer' },
};

const validFor = ({ body }: Operation) => VALID[body!.$ref!.split('/').at(-1)!] ?? {};

function callerOf({ access, id }: Operation): Client {
  if (id === 'setup_create') return empty.client;
  if (access === 'none') return server.client;
  if (access === 'serviceAccount' || access === 'keys:rotate-own') return account.client;
  return access === 'instanceAdministrator' ? administrator : owner.client;
}

function pathOf({ path }: Operation): string {
  return path
    .replace('{organizationId}', organization.id)
    .replace('{serviceAccountId}', account.id)
    .replace('{keyId}', account.keyId)
    .replace('{userId}', owner.id)
    .replace('{roleKey}', 'ours')
    .replace('{permission}', 'ours:read')
    .replace('{sessionId}', newId('ses'))
    .replace('{invitationId}', newId('inv'))
    .replace('{eventId}', newId('evt'));
}

/** All rows but the trail of requests, and what only says that somebody was here. */
async function state({ id }: Operation): Promise<string> {
  const { database } = id === 'setup_create' ? empty : server;
  const rows = await database.system(async (tx) => {
    const changes = await tx.auditEvent.count({ where: { action: { not: 'http.request' } } });
    const keys = await tx.key.findMany({ omit: { lastUsedAt: true, lastUsedIp: true } });
    // Its rows change places when somebody is seen.
    const sessions = await tx.session.findMany({ select: { id: true }, orderBy: { id: 'asc' } });
    const tables = [
      await tx.organization.findMany(),
      await tx.user.findMany(),
      await tx.membership.findMany(),
      await tx.serviceAccount.findMany({ omit: { lastUsedAt: true } }),
      await tx.role.findMany(),
      await tx.registeredPermission.findMany(),
      await tx.invitation.findMany(),
    ];
    return [changes, keys, sessions, tables];
  });
  return JSON.stringify(rows);
}

const idsOf = (operations: Operation[]) => operations.map((one) => [one.id, one] as const);
const WITH_BODY = OPERATIONS.filter(({ body }) => body !== undefined);

it('finds the operations and their fields', () => {
  expect(WITH_BODY.length).toBeGreaterThan(20);
  const faults = WITH_BODY.flatMap((one) => faultsOf(one.body!, validFor(one)));
  expect(faults.length).toBeGreaterThan(1000);
  const required = WITH_BODY.flatMap((one) =>
    (resolved(one.body!).required ?? []).filter((name) => !Object.hasOwn(validFor(one), name)),
  );
  expect(required).toEqual([]);
});

describe('the body of', () => {
  it.each(idsOf(WITH_BODY))(
    '%s: what a field does not take is 400, names it, and changes nothing',
    async (_id, operation) => {
      const client = callerOf(operation);
      const before = await state(operation);
      const wrong: unknown[] = [];
      for (const { pointer, what, body } of faultsOf(operation.body!, validFor(operation))) {
        const answer = await client.request(operation.method, pathOf(operation), body, from());
        const pointers: string[] = (answer.body?.errors ?? []).map((error: any) => error.pointer);
        const isNamed = pointers.some((one) => one === pointer || one.startsWith(`${pointer}/`));
        const isOnly = pointers.every((one) => `${one}/`.startsWith(`${pointer}/`));
        if (answer.status !== 400 || !isNamed || !isOnly) {
          wrong.push([pointer, what, answer.status, answer.body?.code, pointers]);
        }
      }
      expect(wrong).toEqual([]);
      expect(await state(operation)).toBe(before);
    },
  );
});

describe('the query of', () => {
  const reading = OPERATIONS.filter(
    ({ method, parameters }) => method === 'GET' && parameters.some((one) => one.in === 'query'),
  );

  it.each(idsOf(reading))(
    '%s: what a parameter does not take is 400 and names it',
    async (_id, operation) => {
      const client = callerOf(operation);
      const wrong: unknown[] = [];
      const check = async (name: string, query: string) => {
        const { status, body } = await client.get(`${pathOf(operation)}?${query}`, from());
        const pointers: string[] = (body?.errors ?? []).map((error: any) => error.pointer);
        if (status !== 400 || pointers.join() !== `/${name}`) wrong.push([query, status, pointers]);
      };
      for (const parameter of operation.parameters.filter((one) => one.in === 'query')) {
        const { name } = parameter;
        const type = [parameter.schema.type].flat()[0]!;
        for (const value of WRONG_IN_QUERIES[type]!) await check(name, `${name}=${value}`);
        for (const [, value] of beyond(parameter.schema))
          await check(name, `${name}=${String(value)}`);
        await check(name, `${name}=a&${name}=b`);
      }
      await check('surprise', 'surprise=1');
      expect(wrong).toEqual([]);
    },
  );
});

const WRONG_IN_QUERIES: Record<string, string[]> = {
  integer: ['-1', '99999999999999999999', '1e3', '1.5', '0x10', 'a', '', '%00', '+1'],
  boolean: ['yes', '1', 'TRUE', '', '%00'],
  string: ['a%00b'],
};

describe('the path of', () => {
  const named = OPERATIONS.filter(({ path }) => path.includes('{'));

  it.each(idsOf(named))('%s: what no text is, is 400 in every place', async (_id, operation) => {
    const client = callerOf(operation);
    for (const parameter of operation.path.match(/\{\w+\}/g)!) {
      for (const value of ['%00', 'a%00', '%ff', '%ed%a0%80', '%']) {
        const path = pathOf({ ...operation, path: operation.path.replace(parameter, value) });
        const { status, body } = await client.request(operation.method, path, undefined, from());
        expect([parameter, value, status, body.status]).toEqual([parameter, value, 400, 400]);
      }
    }
  });
});

describe('the form of', () => {
  const forms = OPERATIONS.filter(({ form }) => form !== undefined);

  it.each(idsOf(forms))(
    '%s: what no text is, and what comes twice, is 400',
    async (_id, operation) => {
      const names = Object.keys(resolved(operation.form!).properties!);
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) {
        // Several are several APIs, and how one authenticates is another question.
        const twice = ['resource'].includes(name) ? [] : [`${name}=a&${name}=b`];
        const texts = ['a%00b', 'a%ff', '%ed%a0%80'].map((value) => `${name}=${value}`);
        for (const form of [...texts, ...twice]) {
          const answer = await postForm(account.client, operation.path, form, from());
          expect([form, answer.status]).toEqual([form, 400]);
        }
      }
    },
  );

  it.each(idsOf(forms))('%s: a character too many is 400', async (_id, operation) => {
    const rest = { token: 'x', grant_type: 'client_credentials' };
    const { properties } = resolved(operation.form!);
    const limited = Object.entries(properties!).filter(
      ([, { maxLength }]) => maxLength !== undefined && maxLength < BODY_LIMIT,
    );
    for (const [name, { maxLength }] of limited) {
      const form = new URLSearchParams({ ...rest, [name]: 'x'.repeat(maxLength! + 1) });
      for (const left of Object.keys(rest)) if (!(left in properties!)) form.delete(left);
      const { status, body } = await postForm(
        account.client,
        operation.path,
        form.toString(),
        from(),
      );
      expect([status, body.error_description]).toEqual([400, expect.stringMatching(`^${name}: `)]);
    }
  });
});

it('takes texts of every script, and what looks like a bad one only', async () => {
  expect(BAD_TEXTS.length).toBe(3);
  const name = 'Ünï 名前 𝒳 😀 \\u0000 %00';
  const answer = await owner.client.patch(account.path, { name });
  expect([answer.status, answer.body.name]).toEqual([200, name]);
});
