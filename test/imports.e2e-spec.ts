import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client, eventsOf, startServer, type TestServer } from './harness.js';
import { importFrom } from './imports.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';

let server: TestServer;
let organization: TestOrganization;
let provisioner: TestServiceAccount;
let path: string;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Each block has an organization of its own, so that it can count. */
async function anImporter(role = 'admin'): Promise<void> {
  organization = await anOrganization(server);
  provisioner = await aServiceAccount(server, organization, { role, name: 'Directory' });
  path = `${organization.path}/users/import`;
}

const importFile = (
  file: string | Buffer,
  {
    client = provisioner.client,
    ...options
  }: { client?: Client; type?: string; query?: string } = {},
) => importFrom(client, path, file, options);

const ndjson = (...rows: object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
const importJson = (rows: object[], options: object = {}) =>
  importFile(ndjson(...rows), { type: 'application/x-ndjson', ...options });

async function usersByEmail(): Promise<Map<string, any>> {
  const { client } = await aPerson(server, organization, { name: 'Reader' });
  const { body } = await client.get(`${organization.path}/users?limit=200`);
  return new Map(body.data.map((user: any) => [user.email, user]));
}

const countUsers = () =>
  server.database.system((tx) =>
    tx.membership.count({ where: { organizationId: organization.id } }),
  );

describe('POST …/users/import', () => {
  beforeAll(() => anImporter());

  const FILE = [
    'email,role,name,attributes.department,attributes.city',
    'Ada@Example.com,viewer,Ada Lovelace,Finance,London',
    'grace@example.com,auditor,"Hopper, ""Amazing"" Grace",,',
    'nobody,viewer,Nobody,,',
    'alan@example.com,no-such-role,Alan Turing,,',
    'short@example.com,viewer',
  ].join('\r\n');

  it('creates users from CSV and says of each row what became of it', async () => {
    const { rows, last, requestId } = await importFile(FILE);
    expect(rows.map(({ line, email, status }) => [line, email, status])).toEqual([
      [2, 'ada@example.com', 'created'],
      [3, 'grace@example.com', 'created'],
      [4, 'nobody', 'failed'],
      [5, 'alan@example.com', 'failed'],
      [6, null, 'failed'],
    ]);
    expect(
      rows.slice(2).map(({ errors, userId }) => [errors[0].pointer, errors[0].code, userId]),
    ).toEqual([
      ['/email', 'invalid_format', null],
      ['/role', 'unknown_role', null],
      ['', 'wrong_cell_count', null],
    ]);
    expect(last).toEqual({
      totals: { rows: 5, created: 2, updated: 0, unchanged: 0, failed: 3 },
      validateOnly: false,
      complete: true,
    });
    const users = await usersByEmail();
    expect(users.get('ada@example.com')).toMatchObject({
      id: rows[0].userId,
      name: 'Ada Lovelace',
      role: { key: 'viewer' },
      status: 'active',
      attributes: { department: 'Finance', city: 'London' },
      createdBy: { type: 'serviceAccount', id: provisioner.id, name: 'Directory' },
    });
    expect(users.get('grace@example.com')).toMatchObject({
      name: 'Hopper, "Amazing" Grace',
      attributes: {},
    });
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ event }) => [event.action, event.actor.name, event.key.id])).toEqual([
      ['http.request', 'Directory', provisioner.keyId],
      ['user.created', 'Directory', provisioner.keyId],
      ['user.created', 'Directory', provisioner.keyId],
      ['users.imported', 'Directory', provisioner.keyId],
    ]);
    expect(events[3]!.event.details).toEqual({
      rows: 5,
      created: 2,
      updated: 0,
      unchanged: 0,
      failed: 3,
      format: 'csv',
      complete: true,
    });
  });

  it('changes nothing when the same file comes again', async () => {
    const before = await countUsers();
    const { rows, last, requestId } = await importFile(FILE);
    expect(rows.map(({ status }) => status).slice(0, 2)).toEqual(['unchanged', 'unchanged']);
    expect(last.totals).toEqual({ rows: 5, created: 0, updated: 0, unchanged: 2, failed: 3 });
    const actions = (await eventsOf(server, { requestId })).map(({ action }) => action);
    expect(actions).toEqual(['http.request', 'users.imported']);
    expect(await countUsers()).toBe(before);
  });

  it('changes role and attributes of users who are there; what a row leaves out stays', async () => {
    const role = await importFile('name,email,role\nAnother Name,ada@example.com,auditor\n');
    expect(role.rows[0]).toMatchObject({ status: 'updated', line: 2 });
    const { rows, requestId } = await importJson([
      { email: 'grace@example.com', name: 'Grace', role: 'auditor', attributes: { since: 1944 } },
      { email: 'ada@example.com', name: 'Ada', role: 'auditor' },
    ]);
    expect(rows.map(({ status }) => status)).toEqual(['updated', 'unchanged']);
    const users = await usersByEmail();
    expect(users.get('ada@example.com')).toMatchObject({
      name: 'Ada Lovelace',
      role: { key: 'auditor' },
      attributes: { department: 'Finance', city: 'London' },
    });
    expect(users.get('grace@example.com').attributes).toEqual({ since: 1944 });
    const [, updated] = await eventsOf(server, { requestId });
    expect(updated!.event).toMatchObject({
      action: 'user.updated',
      changes: { attributes: { before: {}, after: { since: 1944 } } },
    });
  });

  it('takes values of all kinds as NDJSON, again and again', async () => {
    const attributes = {
      text: 'Ünï',
      number: -0,
      big: 1e21,
      yes: true,
      list: [1, 'two', false],
      since: '2026-01-01T00:00:00Z',
    };
    const file = [{ email: 'kinds@example.com', name: 'Kinds', role: 'viewer', attributes }];
    expect((await importJson(file)).last.totals.created).toBe(1);
    expect((await importJson(file)).last.totals.unchanged).toBe(1);
    const csv = `email,name,role,attributes\nkinds@example.com,Kinds,viewer,"${JSON.stringify(attributes).replaceAll('"', '""')}"`;
    expect((await importFile(csv)).last.totals.unchanged).toBe(1);
  });

  it('works through an e-mail twice in a file in its order', async () => {
    const { rows } = await importJson([
      { email: 'twice@example.com', name: 'Twice', role: 'viewer' },
      { email: 'TWICE@example.com', name: 'Twice', role: 'auditor' },
      { email: 'twice@example.com', name: 'Twice', role: 'auditor' },
    ]);
    expect(rows.map(({ status }) => status)).toEqual(['created', 'updated', 'unchanged']);
    expect(new Set(rows.map(({ userId }) => userId)).size).toBe(1);
  });

  it('names the line of each row: byte order mark, empty lines and line ends in quotes', async () => {
    const text =
      '\ufeff\r\n\r\nemail,name,role,attributes.note\r\n\r\na@lines.example,A,viewer,"1\r\n2\n3"\r\n\nb@lines.example,B,viewer,\n';
    const { rows } = await importFile(text);
    expect(rows.map(({ line, status }) => [line, status])).toEqual([
      [5, 'created'],
      [9, 'created'],
    ]);
    expect((await usersByEmail()).get('a@lines.example').attributes).toEqual({ note: '1\r\n2\n3' });
    const json = await importFile('\ufeff\n\n{"email":"c@lines.example"\n\n[]\n{"a":1,"a":2}', {
      type: 'application/x-ndjson; charset=utf-8',
    });
    expect(json.rows.map(({ line, errors }) => [line, errors[0].code])).toEqual([
      [3, 'invalid_json'],
      [5, 'wrong_type'],
      [6, 'duplicate_key'],
    ]);
  });

  it('with validateOnly says what would be, and changes nothing', async () => {
    const before = await countUsers();
    const { rows, last, requestId } = await importJson(
      [
        { email: 'new@example.com', name: 'New', role: 'viewer' },
        { email: 'ada@example.com', name: 'Ada', role: 'viewer' },
        { email: 'grace@example.com', name: 'Grace', role: 'auditor' },
        { email: 'bad@example.com', name: 'Bad', role: 'owner' },
      ],
      { query: '?validateOnly=true' },
    );
    expect(rows.map(({ status, userId }) => [status, userId === null])).toEqual([
      ['created', true],
      ['updated', false],
      ['unchanged', false],
      ['failed', true],
    ]);
    expect(last).toMatchObject({ validateOnly: true, complete: true });
    expect(await countUsers()).toBe(before);
    expect((await usersByEmail()).get('ada@example.com').role.key).toBe('auditor');
    expect((await eventsOf(server, { requestId })).map(({ action }) => action)).toEqual([
      'http.request',
    ]);
  });
});

describe('the rules for single users', () => {
  beforeAll(() => anImporter());

  it('hold for each row', async () => {
    const [owner, admin] = [
      await aPerson(server, organization, { email: 'owner@example.org' }),
      await aPerson(server, organization, { role: 'admin', email: 'admin@example.org' }),
    ];
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 1]));
    const row = (email: string, role: string, more = {}) => ({ email, name: 'N', role, ...more });
    const asAdmin = await importJson(
      [
        row('new-owner@example.org', 'owner'),
        row('owner@example.org', 'viewer'),
        row('admin@example.org', 'viewer'),
        row('a@example.org', 'viewer', { attributes: many }),
        row('b@example.org', 'viewer', { attributes: { 'not ok': 1 } }),
        row('c@example.org', 'viewer', { status: 'disabled' }),
        row('d@example.org', 'viewer'),
      ],
      { client: admin.client },
    );
    const codes = asAdmin.rows.map(({ errors }) =>
      errors.map((one: any) => `${one.pointer} ${one.code}`),
    );
    expect(codes).toEqual([
      ['/role grant_exceeds_permissions'],
      ['/role grant_exceeds_permissions'],
      ['/role own_role'],
      ['/attributes too_long'],
      ['/attributes/not ok invalid_format'],
      ['/status unknown_property'],
      [],
    ]);
    const second = await aPerson(server, organization, { email: 'second@example.org' });
    const asOwner = await importJson(
      [row('second@example.org', 'viewer'), row('owner@example.org', 'viewer')],
      { client: owner.client },
    );
    expect(asOwner.rows.map(({ status, errors }) => [status, errors[0]?.code])).toEqual([
      ['updated', undefined],
      ['failed', 'own_role'],
    ]);
    // A service account with all permissions may demote owners, but not the last one.
    const robot = await aServiceAccount(server, organization, { role: 'owner' });
    await importJson([row(second.email, 'owner')], { client: robot.client });
    const both = await importJson([row(second.email, 'viewer'), row(owner.email, 'viewer')], {
      client: robot.client,
    });
    expect(both.rows.map(({ status, errors }) => [status, errors[0]?.code])).toEqual([
      ['updated', undefined],
      ['failed', 'last_owner'],
    ]);
  });

  it('let a person who exists elsewhere simply become a member', async () => {
    const elsewhere = await aPerson(server, await anOrganization(server), { name: 'Elsewhere' });
    const { rows } = await importJson([{ email: elsewhere.email, name: 'E', role: 'viewer' }]);
    expect(rows[0]).toMatchObject({ status: 'created', userId: elsewhere.id });
  });

  it('need users:manage', async () => {
    const viewer = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await importFile('email,name,role\n', { client: viewer.client });
    expect({ status, required: body.required }).toEqual({ status: 403, required: 'users:manage' });
  });
});
