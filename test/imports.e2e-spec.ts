import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { eventsOf, startServer, type TestServer } from './harness.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';
import { slowly } from './streams.js';

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

interface Imported {
  status: number;
  body: any;
  rows: any[];
  last: any;
  requestId: string;
}

const lines = (text: string): any[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function importFile(
  file: string | Buffer,
  { type = 'text/csv', query = '', client = provisioner.client } = {},
): Promise<Imported> {
  const response = await fetch(client.url + path + query, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.token}`, 'content-type': type },
    body: file as string,
  });
  const text = await response.text();
  const requestId = response.headers.get('x-request-id')!;
  const { status } = response;
  if (status !== 200) return { status, body: JSON.parse(text), rows: [], last: null, requestId };
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const rows = lines(text);
  return { status, body: undefined, rows, last: rows.pop(), requestId };
}

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

describe('a file that cannot be read', () => {
  beforeAll(() => anImporter());
  const HEADER = 'email,name,role\n';
  const GOOD = `${HEADER}good@example.net,Good,viewer\n`;
  const csv = 'text/csv';
  const json = 'application/x-ndjson';
  const ROW = '{"email":"good@example.net","name":"Good","role":"viewer"}\n';
  const latin1 = (text: string) => Buffer.from(text, 'latin1');

  it.each<[string, string, string | Buffer, string, RegExp]>([
    ['without a header', csv, '', 'missing_column', /email, name, role/],
    ['without a column', csv, 'email,name\na,b\n', 'missing_column', /missing: role/],
    ['with a column twice', csv, 'email,name,role,name\n', 'duplicate_column', /"name"/],
    ['with an unknown column', csv, 'email,name,role,age\n', 'unknown_column', /"age"/],
    ['with a bad attribute', csv, 'email,name,role,attributes.__proto__\n', 'unknown_column', /_/],
    ['in Latin-1', csv, latin1(`${GOOD}e@example.net,Émile,viewer\n`), 'invalid_utf8', /Line 3 /],
    ['in Latin-1', json, latin1(`${ROW}\n\n{"name":"Émile"}`), 'invalid_utf8', /Line 4 /],
    ['in UTF-16', csv, Buffer.from(`\ufeff${GOOD}`, 'utf16le'), 'invalid_utf8', /Line 1 /],
    [
      'with a quote left open',
      csv,
      `${GOOD}x@example.net,"X,viewer\n`,
      'quote_not_closed',
      /line 3 /,
    ],
    [
      'with a quote misplaced',
      csv,
      `${GOOD}\nx@example.net,X "Y" Z,viewer\n`,
      'invalid_csv',
      /line 4 /,
    ],
    ['with an endless row', csv, `${GOOD}"${'x\n'.repeat(40_000)}`, 'record_too_long', /line 3 /],
    [
      'with an endless line',
      json,
      `${ROW}{"name":"${'x'.repeat(70_000)}"}`,
      'record_too_long',
      /line 2 /,
    ],
    ['of one line', json, 'x'.repeat(3_000_000), 'record_too_long', /line 1 /],
  ])('%s (%s) is 400, says where, and changes nothing', async (_, type, file, code, where) => {
    const before = await countUsers();
    const { status, body, requestId } = await importFile(file, { type });
    expect({ status, code: body.code }).toEqual({ status: 400, code });
    expect(body.detail).toMatch(where);
    expect(await countUsers()).toBe(before);
    expect((await eventsOf(server, { requestId })).map(({ event }) => event.status)).toEqual([400]);
  });

  it.each([
    ['application/json', '{}'],
    ['text/plain', GOOD],
    ['text/csv; charset=latin1', GOOD],
    ['application/x-www-form-urlencoded', 'a=b'],
  ])('of the type %s is 415', async (type, file) => {
    const { status, body } = await importFile(file, { type });
    expect({ status, code: body.code }).toEqual({ status: 415, code: 'unsupported_media_type' });
  });

  it('that is compressed, or not there at all, is 415', async () => {
    const headers = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    expect((await provisioner.client.request('POST', path, GOOD, headers)).status).toBe(415);
    expect((await provisioner.client.post(path)).status).toBe(415);
  });

  it('is 415 everywhere else', async () => {
    for (const type of [csv, json]) {
      const headers = { 'content-type': type };
      const { status } = await provisioner.client.request(
        'POST',
        `${organization.path}/users`,
        GOOD,
        headers,
      );
      expect({ type, status }).toEqual({ type, status: 415 });
    }
  });

  it('of more than 64 MiB is 413, whether it says so or not', async () => {
    const headers = {
      authorization: `Bearer ${provisioner.token}`,
      'content-type': 'text/csv',
    };
    const declared = await exchange({ ...headers, 'content-length': String(64 * 2 ** 20 + 1) }, 0);
    expect(declared).toMatchObject({ status: 413, text: expect.stringContaining('64 MiB') });
    const before = await countUsers();
    const chunked = await exchange(headers, 64 * 2 ** 20 + 1);
    expect(chunked).toMatchObject({
      status: 413,
      text: expect.stringContaining('payload_too_large'),
    });
    expect(await countUsers()).toBe(before);
  });

  it('leaves no file behind', () => {
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('claviger-import'))).toEqual([]);
  });

  // Only Linux tells of open files that have no name any more.
  (process.platform === 'linux' ? it : it.skip)(
    'of 64 MiB in one line is kept where nobody else can read it, refused, and gone',
    async () => {
      expect(openUploads()).toEqual([]);
      const headers = { authorization: `Bearer ${provisioner.token}`, 'content-type': json };
      const sent = request(server.url + path, { method: 'POST', headers, agent: false });
      const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
      const piece = Buffer.alloc(2 ** 20, 'x');
      sent.write(piece);
      let uploads = openUploads();
      while (uploads[0]?.size !== piece.length) {
        await new Promise(setImmediate);
        uploads = openUploads();
      }
      expect(uploads).toEqual([{ mode: 0o600, names: 0, size: piece.length }]);
      for (let count = 1; count < 64; count += 1) {
        if (!sent.write(piece)) await once(sent, 'drain');
      }
      sent.end();
      const [answer] = await answered;
      const text = (await answer.toArray()).join('');
      expect({ status: answer.statusCode, body: JSON.parse(text) as unknown }).toMatchObject({
        status: 400,
        body: { code: 'record_too_long', detail: expect.stringContaining('line 1 ') },
      });
      while (openUploads().length > 0) await new Promise(setImmediate);
    },
  );
});

/** What the server, which is this process, has open for uploads. */
function openUploads(): { mode: number; names: number; size: number }[] {
  const folder = '/proc/self/fd';
  return readdirSync(folder).flatMap((fd) => {
    try {
      if (!readlinkSync(`${folder}/${fd}`).includes('claviger-import')) return [];
      const { mode, nlink, size } = statSync(`${folder}/${fd}`);
      return [{ mode: mode & 0o777, names: nlink, size }];
    } catch {
      return []; // closed meanwhile
    }
  });
}

/** Sends so many bytes of rows and reads the answer, which may come before they are all sent. */
function exchange(
  headers: Record<string, string>,
  bytes: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, { method: 'POST', headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode!, text });
        sent.destroy();
      });
    });
    sent.on('error', reject);
    sent.flushHeaders();
    const chunk = Buffer.alloc(2 ** 20, 'email,name,role\n');
    const send = (left: number): void => {
      if (left <= 0 || sent.destroyed) return;
      sent.write(chunk.subarray(0, Math.min(left, chunk.length)), () => send(left - chunk.length));
    };
    send(bytes);
  });
}

describe('an import under way', () => {
  beforeAll(() => anImporter());

  const rowsOf = (count: number, domain: string, size = 0) =>
    Array.from({ length: count }, (_, index) => ({
      email: `user${index}@${domain}`,
      name: `User ${index}`,
      role: 'viewer',
      attributes: { note: 'x'.repeat(size) },
    }));

  /** The event at its end, once it is there. */
  async function theEnd(requestId: string) {
    for (;;) {
      const [end] = await eventsOf(server, { requestId, action: 'users.imported' });
      if (end !== undefined) return end.event;
      await new Promise(setImmediate);
    }
  }

  it('whose connection is cut during the upload changes nothing', async () => {
    const before = await countUsers();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const continues = new Promise((resolve) => socket.once('data', resolve));
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${provisioner.token}\r\n` +
        'Content-Type: text/csv\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n',
    );
    await continues;
    socket.write('email,name,role\nhalf@example.net,Half,viewer\n');
    socket.end();
    for (;;) {
      const events = await eventsOf(server, { chain: organization.id, action: 'http.request' });
      const event = events.find(({ event: one }) => one.path === path)?.event;
      if (event !== undefined) {
        expect(event).toMatchObject({ status: 400, reason: 'incomplete_body' });
        break;
      }
      await new Promise(setImmediate);
    }
    expect(await countUsers()).toBe(before);
  });

  it('whose connection is cut during the answer keeps what is done, and says how much that is', async () => {
    const answer = await slowly(provisioner.client, path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ndjson(...rowsOf(40_000, 'cut.example')),
    });
    await answer.upTo(1);
    answer.destroy();
    const end = await theEnd(answer.headers['x-request-id'] as string);
    expect(end).toMatchObject({
      outcome: 'error',
      reason: 'client_gone',
      details: { complete: false },
    });
    expect(end.details.created).toBe(await countUsers());
    expect(end.details.rows).toBe(end.details.created);
    expect(end.details.created).toBeGreaterThanOrEqual(100);
    expect(end.details.created).toBeLessThan(40_000);
  }, 60_000);

  it('ends early, in order, when its key is revoked', async () => {
    const {
      client,
      keyId,
      path: account,
    } = await aServiceAccount(server, organization, {
      role: 'provisioner',
    });
    const owner = await aPerson(server, organization);
    const answer = await slowly(client, path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ndjson(...rowsOf(40_000, 'revoked.example')),
    });
    await answer.upTo(1);
    expect((await owner.client.delete(`${account}/keys/${keyId}`)).status).toBe(204);
    const { text, complete } = await answer.rest();
    expect(complete).toBe(true);
    const rows = lines(text);
    const last = rows.pop();
    expect(last).toMatchObject({ complete: false, reason: 'invalid_token' });
    expect(last.totals).toMatchObject({ rows: rows.length, created: rows.length });
    expect(rows.length).toBeLessThan(40_000);
    const end = await theEnd(answer.headers['x-request-id'] as string);
    expect(end).toMatchObject({ reason: 'invalid_token', details: last.totals });
  }, 60_000);

  it('loses no row to another that the database refuses', async () => {
    await server.database.system(async (tx) => {
      await tx.$executeRaw`CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.attributes ? 'poison' THEN RAISE EXCEPTION 'poison' USING ERRCODE = '22P02'; END IF;
          RETURN NEW;
        END $$`;
      await tx.$executeRaw`CREATE TRIGGER refuse_poison BEFORE INSERT ON memberships
        FOR EACH ROW EXECUTE FUNCTION refuse_poison()`;
    });
    const file = rowsOf(5, 'poison.example').map((row, index) =>
      index === 2 ? { ...row, attributes: { poison: true } } : row,
    );
    const { rows, last } = await importJson(file);
    expect(rows.map(({ status }) => status)).toEqual([
      'created',
      'created',
      'failed',
      'created',
      'created',
    ]);
    expect(rows[2]).toMatchObject({
      userId: null,
      errors: [{ pointer: '', code: 'invalid_value' }],
    });
    expect(last).toMatchObject({ complete: true, totals: { created: 4, failed: 1 } });
    await server.database.system((tx) => tx.$executeRaw`DROP TRIGGER refuse_poison ON memberships`);
  });

  it('does a row again when somebody else makes its member in the same moment', async () => {
    await server.database.system(async (tx) => {
      await tx.$executeRaw`CREATE SEQUENCE races`;
      await tx.$executeRaw`GRANT USAGE ON SEQUENCE races TO claviger_app`;
      // As ON CONFLICT DO NOTHING does when the other one commits first; a roll-back does not set the sequence back.
      await tx.$executeRaw`CREATE FUNCTION lose_race() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.attributes ? 'raced' AND nextval('races') = 1 THEN RETURN NULL; END IF;
          RETURN NEW;
        END $$`;
      await tx.$executeRaw`CREATE TRIGGER lose_race BEFORE INSERT ON memberships
        FOR EACH ROW EXECUTE FUNCTION lose_race()`;
    });
    const [row] = rowsOf(1, 'lost.example');
    const { rows } = await importJson([{ ...row, attributes: { raced: true } }]);
    expect(rows).toMatchObject([{ status: 'created', errors: [] }]);
    await server.database.system((tx) => tx.$executeRaw`DROP TRIGGER lose_race ON memberships`);
  });

  it('may meet another one with the same people', async () => {
    const file = rowsOf(600, 'race.example');
    const results = await Promise.all([
      importJson(file),
      importJson([...file].reverse()),
      importJson(file),
    ]);
    const sum = (name: string) =>
      results.reduce((total, { last }) => total + (last.totals[name] as number), 0);
    expect(results.map(({ last }) => last.complete)).toEqual([true, true, true]);
    expect({ created: sum('created'), unchanged: sum('unchanged'), failed: sum('failed') }).toEqual(
      {
        created: 600,
        unchanged: 1_200,
        failed: 0,
      },
    );
    const { client } = await aServiceAccount(server, organization, { role: 'auditor' });
    const { body } = await client.get(`${organization.path}/audit-events/verify?limit=100000`);
    expect(body.valid).toBe(true);
  }, 60_000);
});
