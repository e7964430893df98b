import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { lines } from './imports.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';
import { slowly } from './streams.js';

let server: TestServer;
let organization: TestOrganization;
let auditor: TestServiceAccount;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  auditor = await aServiceAccount(server, organization, {
    role: 'auditor',
    name: 'Nightly export',
  });
});
afterAll(() => server.close());

const table = (text: string): Record<string, string>[] =>
  parse(text, { columns: true, record_delimiter: '\r\n' });

/** The event about an export's end, once it is there: a broken connection is noted a moment later. */
async function theEnd(requestId: string) {
  for (;;) {
    const events = await eventsOf(server, { requestId });
    const end = events.find(({ action }) => action.startsWith('export.'));
    if (end !== undefined) return { events, end: end.event };
    await new Promise(setImmediate);
  }
}

/** Fills a chain behind the server's back; the sequence goes on, hashes do not matter here. */
async function fill(chain: string, count: number, padding = 0): Promise<void> {
  const body = JSON.stringify({
    action: 'test.filled',
    outcome: 'success',
    organizationId: chain,
    actor: { type: 'system', id: null, name: 'x'.repeat(padding) },
    key: null,
    targets: [],
    changes: null,
  });
  await server.database.system(
    (tx) =>
      tx.$executeRaw`
      WITH head AS (
        UPDATE audit_heads SET sequence = sequence + ${count} WHERE chain = ${chain} RETURNING sequence
      )
      INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome, request_id)
      SELECT ${chain}, head.sequence - ${count} + n, now(), ${body}, '\\x00', '\\x00', '', 'test.filled', 'success',
        'fill_' || n
      FROM head, generate_series(1, ${count}::int) AS n`,
  );
}

describe('GET …/exports/users', () => {
  let own: TestOrganization;
  let client: TestServiceAccount['client'];

  beforeAll(async () => {
    own = await anOrganization(server);
    client = (await aServiceAccount(server, own, { role: 'auditor' })).client;
    for (const name of ['=1+1', '+49', '-2', '@cmd', 'Ada, "the" Countess', 'Émilie']) {
      await aPerson(server, own, { name, role: 'viewer' });
    }
    await aPerson(server, own, { name: 'Zoë', status: 'disabled' });
  });

  it('streams what the list shows, as NDJSON, with a file name', async () => {
    const { status, headers, body } = await client.get(`${own.path}/exports/users`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="users-\d{4}-\d\d-\d\d\.ndjson"$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    const list = await client.get(`${own.path}/users`);
    expect(lines(body as string)).toEqual(list.body.data);
  });

  it('streams CSV that no spreadsheet takes for formulas', async () => {
    const { headers, body } = await client.get(`${own.path}/exports/users`, { accept: 'text/csv' });
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const rows = table(body as string);
    const list = await client.get(`${own.path}/users`);
    expect(rows.map(({ id }) => id)).toEqual(list.body.data.map(({ id }: any) => id));
    expect(rows.map(({ name }) => name)).toEqual([
      "'=1+1",
      "'+49",
      "'-2",
      "'@cmd",
      'Ada, "the" Countess',
      'Émilie',
      'Zoë',
    ]);
    expect(rows[0]).toMatchObject({ role: 'viewer', status: 'active', attributes: '{}' });
  });

  it('has the filters and the order of the list', async () => {
    const query = 'status=active&sort=-name&search=%C3%89';
    const { body } = await client.get(`${own.path}/exports/users?${query}`);
    expect(lines(body as string).map(({ name }) => name)).toEqual(['Émilie']);
    const disabled = await client.get(`${own.path}/exports/users?status=disabled&format=csv`);
    expect(table(disabled.body as string).map(({ name }) => name)).toEqual(['Zoë']);
  });

  it('goes on behind any row, in either format: the parts are one file', async () => {
    for (const format of ['csv', 'ndjson']) {
      const path = `${own.path}/exports/users?cursors=true&sort=name&format=${format}`;
      const whole = (await client.get(path)).body as string;
      const rows = format === 'csv' ? table(whole) : lines(whole);
      expect(rows).toHaveLength(7);
      for (const [index, { cursor }] of rows.entries()) {
        const head = (await client.get(`${path}&limit=${index + 1}`)).body as string;
        const tail = await client.get(`${path}&after=${encodeURIComponent(cursor as string)}`);
        expect(head + ((tail.body as string | undefined) ?? '')).toBe(whole);
        if (format !== 'csv') continue;
        expect(tail.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=absent');
      }
    }
  });

  it('refuses a cursor that was tampered with, or of another organization, list, filter or order', async () => {
    const first = await client.get(`${own.path}/exports/users?cursors=true&limit=1`);
    const { cursor } = lines(first.body as string)[0];
    const other = await anOrganization(server);
    const stranger = await aServiceAccount(server, other, { role: 'auditor' });
    const tampered = `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`;
    for (const [who, path] of [
      [client, `${own.path}/exports/users?after=${tampered}`],
      [stranger.client, `${other.path}/exports/users?after=${cursor}`],
      [client, `${own.path}/exports/keys?after=${cursor}`],
      [client, `${own.path}/users?after=${cursor}`],
      [client, `${own.path}/exports/users?role=viewer&after=${cursor}`],
      [client, `${own.path}/exports/users?sort=-name&after=${cursor}`],
    ] as const) {
      const { status, body } = await who.get(path);
      // The role of an auditor reads lists too, so nothing but the cursor can be wrong.
      expect({ path, status, pointer: body.errors?.[0]?.pointer }).toEqual({
        path,
        status: 400,
        pointer: '/after',
      });
    }
  });

  it('answers 406 for what it cannot be, 400 for what it does not know', async () => {
    const html = await client.get(`${own.path}/exports/users`, { accept: 'text/html' });
    expect(html).toMatchObject({ status: 406, body: { code: 'not_acceptable' } });
    for (const query of ['format=xml', 'limit=0', 'cursors=1', 'colour=red']) {
      const { status } = await client.get(`${own.path}/exports/users?${query}`);
      expect({ query, status }).toEqual({ query, status: 400 });
    }
  });

  it('answers HEAD without reading a row', async () => {
    const { status, headers, body } = await client.request('HEAD', `${own.path}/exports/users`);
    expect({ status, body }).toEqual({ status: 200, body: undefined });
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    const events = await eventsOf(server, { requestId: headers.get('x-request-id')! });
    expect(events.map(({ action }) => action)).toEqual(['http.request']);
  });

  it('needs data:export', async () => {
    const viewer = await aServiceAccount(server, own, { role: 'viewer' });
    const { status, body } = await viewer.client.get(`${own.path}/exports/users`);
    expect({ status, required: body.required }).toEqual({ status: 403, required: 'data:export' });
  });
});

describe('GET …/exports/service-accounts and …/exports/keys', () => {
  it('stream what the lists show, and never a token', async () => {
    await aKey(server, organization, auditor, { name: '=Production', permissions: ['users:read'] });
    for (const name of ['service-accounts', 'keys']) {
      const list = await auditor.client.get(`${organization.path}/${name}`);
      const exported = await auditor.client.get(`${organization.path}/exports/${name}`);
      const seen = lines(exported.body as string).map(({ id }) => id);
      expect(seen).toEqual(list.body.data.map(({ id }: any) => id));
      expect(exported.body).not.toContain(auditor.token);
    }
    const csv = await auditor.client.get(`${organization.path}/exports/keys?format=csv`);
    const rows = table(csv.body as string);
    expect(rows.map(({ name }) => name).sort()).toEqual(["'=Production", 'Default']);
    expect(rows.find(({ name }) => name !== 'Default')?.permissions).toBe('["users:read"]');
  });
});

describe('GET …/audit-events/export', () => {
  it('streams the whole chain, in either direction, in pages', async () => {
    const own = await anOrganization(server);
    const { client } = await aServiceAccount(server, own, { role: 'auditor' });
    await fill(own.id, 2_345);
    const path = `${own.path}/audit-events/export`;
    const down = lines((await client.get(path)).body as string);
    // The request's own event is on the chain before the first row is read.
    expect(down.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 2_346 }, (_, index) => 2_346 - index),
    );
    const up = lines((await client.get(`${path}?sort=occurredAt&limit=2346`)).body as string);
    expect(up).toEqual(down.reverse());
    const some = await client.get(`${path}?sort=occurredAt&cursors=true&limit=1500&format=csv`);
    const { cursor } = table(some.body as string).at(-1)!;
    const query = `sort=occurredAt&format=csv&limit=3&after=${encodeURIComponent(cursor!)}`;
    const next = await client.get(`${path}?${query}`);
    expect((next.body as string).split('\r\n').map((line) => line.split(',')[1])).toEqual([
      '1501',
      '1502',
      '1503',
      undefined,
    ]);
  });

  it('finds what is rare in a long chain', async () => {
    const own = await anOrganization(server);
    const { client } = await aServiceAccount(server, own, { role: 'auditor' });
    await client.get('/v1/me');
    await fill(own.id, 25_000);
    await client.get('/v1/me');
    for (const sort of ['occurredAt', '-occurredAt']) {
      const path = `${own.path}/audit-events/export?action=http.request&sort=${sort}`;
      const found = lines((await client.get(path)).body as string).map(({ route }) => route);
      expect(found.filter((route) => route === '/v1/me')).toHaveLength(2);
    }
    const filled = await client.get(`${own.path}/audit-events/export?requestId=fill_12345`);
    expect(lines(filled.body as string).map(({ sequence }) => sequence)).toEqual([12_346]);
  });

  it('needs audit:read', async () => {
    const { client } = await aServiceAccount(server, organization, { role: 'viewer' });
    const { status, body } = await client.get(`${organization.path}/audit-events/export`);
    expect({ status, required: body.required }).toEqual({ status: 403, required: 'audit:read' });
  });
});

describe('GET /v1/audit-events/export', () => {
  it('streams the chain of the instance, and notes it there', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const { status, headers, body } = await administrator.client.get('/v1/audit-events/export');
    expect(status).toBe(200);
    const rows = lines(body as string);
    expect(rows.at(-1)).toMatchObject({ sequence: 1, organizationId: null });
    const { end } = await theEnd(headers.get('x-request-id')!);
    expect(end).toMatchObject({
      action: 'export.completed',
      organizationId: null,
      actor: { type: 'user', id: administrator.id },
      details: { export: 'audit-events', rows: rows.length, format: 'ndjson' },
    });
  });
});

describe('the trail', () => {
  it('says who exported what, with which filter, and how many rows', async () => {
    const path = `${organization.path}/exports/users?format=csv&status=active&search=nobody`;
    const { headers } = await auditor.client.get(path);
    const { events, end } = await theEnd(headers.get('x-request-id')!);
    expect(events.map(({ action }) => action)).toEqual(['http.request', 'export.completed']);
    expect(end).toMatchObject({
      outcome: 'success',
      organizationId: organization.id,
      actor: { type: 'serviceAccount', id: auditor.id, name: 'Nightly export' },
      key: { id: auditor.keyId, name: 'Default' },
      details: {
        export: 'users',
        rows: 0,
        filter: { status: 'active', search: 'nobody' },
        format: 'csv',
      },
    });
    const shown = await auditor.client.get(
      `${organization.path}/audit-events?requestId=${headers.get('x-request-id')}`,
    );
    expect(shown.body.data[0].details).toEqual(end.details);
    const { body } = await auditor.client.get(`${organization.path}/audit-events/verify`);
    expect(body.valid).toBe(true);
  });

  it('is all there is of an export that the gate refuses: no row is read', async () => {
    const { client, keyId, id } = await aServiceAccount(server, organization, { role: 'auditor' });
    await client.get('/v1/me'); // from here on the credential is cached
    await server.database.system(async (tx) => {
      await tx.$executeRaw`UPDATE keys SET revoked_at = now() WHERE id = ${keyId}`;
      await tx.$executeRaw`UPDATE audit_heads SET auth_epoch = auth_epoch + 1
        WHERE chain = ${organization.id}`;
    });
    const { status, headers, body } = await client.get(`${organization.path}/exports/users`);
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'invalid_token' });
    expect(headers.get('content-disposition')).toBeNull();
    const events = await eventsOf(server, { requestId: headers.get('x-request-id')! });
    expect(events.map(({ event }) => [event.action, event.status, event.actor.id])).toEqual([
      ['http.request', 401, id],
    ]);
  });
});

describe('an export under way', () => {
  const TOTAL = 6_000;
  let large: TestOrganization;
  let path: string;

  beforeAll(async () => {
    large = await anOrganization(server);
    // More than all buffers between the two sides hold.
    await fill(large.id, TOTAL, 4_000);
    path = `${large.path}/audit-events/export?cursors=true`;
  });

  it('waits for its client, and is aborted when that goes away', async () => {
    const { client, id, keyId } = await aServiceAccount(server, large, { role: 'auditor' });
    const answer = await slowly(client, path);
    await answer.upTo(1);
    answer.destroy();
    const { end } = await theEnd(answer.headers['x-request-id'] as string);
    expect(end).toMatchObject({
      action: 'export.aborted',
      outcome: 'error',
      reason: 'client_gone',
      actor: { type: 'serviceAccount', id },
      key: { id: keyId, name: 'Default' },
      details: { export: 'audit-events', filter: {}, format: 'ndjson' },
    });
    expect(end.details.rows).toBeGreaterThan(0);
    expect(end.details.rows).toBeLessThan(TOTAL);
  });

  it('is aborted, too, while it finds nothing to send, and gives its place back', async () => {
    const own = await anOrganization(server);
    const { client } = await aServiceAccount(server, own, { role: 'auditor' });
    // A chain that takes long to look through: but for the first, its events are not even there.
    await client.get('/v1/me');
    await server.database.system((tx) =>
      tx.auditHead.update({ where: { chain: own.id }, data: { sequence: { increment: 1e8 } } }),
    );
    const search = `${own.path}/audit-events/export?format=csv&sort=occurredAt&requestId=none`;
    const running = await Promise.all([1, 2, 3, 4].map(() => slowly(client, search)));
    for (const answer of running) {
      // The header line.
      await answer.upTo(1);
      answer.destroy();
    }
    for (const answer of running) {
      const { end } = await theEnd(answer.headers['x-request-id'] as string);
      expect(end).toMatchObject({
        action: 'export.aborted',
        reason: 'client_gone',
        details: { rows: 0 },
      });
    }
    expect((await client.get(`${own.path}/exports/keys`)).status).toBe(200);
  });

  it('gets no further page with a key that has been revoked: the connection breaks after a whole row', async () => {
    const {
      client,
      path: account,
      keyId,
    } = await aServiceAccount(server, large, {
      role: 'auditor',
    });
    const owner = await aPerson(server, large);
    const answer = await slowly(client, path);
    await answer.upTo(1);
    expect((await owner.client.delete(`${account}/keys/${keyId}`)).status).toBe(204);
    const { text, complete } = await answer.rest();
    expect(complete).toBe(false);
    expect(text.endsWith('\n')).toBe(true);
    const rows = lines(text);
    const { end } = await theEnd(answer.headers['x-request-id'] as string);
    expect(end).toMatchObject({ action: 'export.aborted', reason: 'invalid_token' });
    expect(end.details.rows).toBe(rows.length);
    const other = await aServiceAccount(server, large, { role: 'auditor' });
    const next = await other.client.get(`${path}&limit=1&after=${rows.at(-1).cursor}`);
    expect(lines(next.body as string)[0].sequence).toBe(rows.at(-1).sequence - 1);
  });

  it('takes one of four places of its organization', async () => {
    const { client } = await aServiceAccount(server, large, { role: 'auditor' });
    const running = await Promise.all([1, 2, 3, 4].map(() => slowly(client, path)));
    const fifth = await client.get(path);
    expect(fifth).toMatchObject({ status: 429, body: { code: 'too_many_running' } });
    expect(fifth.headers.get('retry-after')).toBe('5');
    expect((await auditor.client.get(`${organization.path}/exports/keys`)).status).toBe(200);
    for (const answer of running) answer.destroy();
    for (const answer of running) await theEnd(answer.headers['x-request-id'] as string);
    expect((await client.get(`${path}&limit=1`)).status).toBe(200);
  });
});
