import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { type Client, eventsOf, startServer, type TestServer } from './harness.js';
import { importFrom, lines } from './imports.js';
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

const countUsers = () =>
  server.database.system((tx) =>
    tx.membership.count({ where: { organizationId: organization.id } }),
  );

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
