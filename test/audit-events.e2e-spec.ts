import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Seals } from '../src/crypto/seal.js';
import { HeadSeals } from '../src/audit/head-seals.js';
import { eventually } from './eventually.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';

let server: TestServer;
let organization: TestOrganization;
let auditor: TestServiceAccount;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

beforeEach(async () => {
  organization = await anOrganization(server);
  auditor = await aServiceAccount(server, organization, { role: 'auditor', name: 'Auditor' });
});

const list = async (query: string) =>
  (await auditor.client.get(`${organization.path}/audit-events?${query}`)).body.data;

describe('GET …/audit-events', () => {
  it('lists newest first, with sequence numbers without a gap', async () => {
    for (let count = 0; count < 5; count += 1) await auditor.client.get('/v1/me');
    const events = await list('limit=5');
    expect(events.map((event: any) => event.sequence)).toEqual([5, 4, 3, 2, 1]);
    expect(events[0]).toMatchObject({
      organizationId: organization.id,
      action: 'http.request',
      outcome: 'success',
      actor: { type: 'serviceAccount', id: auditor.id, name: 'Auditor' },
      key: { id: auditor.keyId, name: 'Default' },
      method: 'GET',
      route: '/v1/me',
      status: 200,
      permission: 'any',
    });
  });

  it('pages through everything exactly once while the trail grows', async () => {
    for (let count = 0; count < 12; count += 1) await auditor.client.get('/v1/me');
    const seen: number[] = [];
    let after: string | undefined;
    do {
      const query = `limit=5&action=http.request${after ? `&after=${after}` : ''}`;
      const { body } = await auditor.client.get(`${organization.path}/audit-events?${query}`);
      seen.push(...body.data.map((event: any) => event.sequence));
      after = body.paging.next?.after;
    } while (after !== undefined);
    expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => 12 - index));
  });

  it('filters by actor, key, action, outcome, request, target and time', async () => {
    const owner = await aPerson(server, organization);
    const created = await owner.client.post(`${organization.path}/service-accounts`, {
      name: 'Salesforce Integration',
      role: 'viewer',
    });
    const { serviceAccount, key } = created.body;
    await server.client.withToken(key.token).get(`${organization.path}/audit-events`);
    const requestId = created.headers.get('x-request-id');

    expect((await list(`actor=${serviceAccount.id}`)).map((one: any) => one.status)).toEqual([403]);
    expect(await list(`key=${key.id}`)).toHaveLength(1);
    expect(await list('outcome=denied')).toHaveLength(1);
    expect((await list(`requestId=${requestId}`)).map((one: any) => one.action).sort()).toEqual([
      'http.request',
      'key.created',
      'service_account.created',
    ]);
    expect(
      (await list(`target=${serviceAccount.id}`)).map((one: any) => one.action).sort(),
    ).toEqual(['key.created', 'service_account.created']);
    expect(await list(`target=${key.id}`)).toHaveLength(1);
    expect(await list('action=service_account.created')).toHaveLength(1);
    expect(await list('from=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await list('to=2000-01-01T00:00:00Z')).toEqual([]);
  });

  it('holds all filters together, sorts both ways, and pages either way', async () => {
    const reader = await aServiceAccount(server, organization, { role: 'viewer' });
    const refuse = async (times: number) => {
      for (let count = 0; count < times; count += 1) {
        await reader.client.get(`${organization.path}/audit-events`);
        await reader.client.get('/v1/me');
        await auditor.client.post(`${organization.path}/roles`, {});
      }
    };
    /** The time of an event that is later than all before it. */
    const border = async () => {
      const [{ occurredAt: last }] = await list('limit=1');
      await eventually(() => Promise.resolve(new Date().toISOString() > last || undefined));
      await auditor.client.get('/v1/me');
      return (await list('limit=1'))[0].occurredAt as string;
    };
    await refuse(2);
    const start = await border();
    await refuse(3);
    const end = await border();
    await refuse(1);
    const filters = `actor=${reader.id}&outcome=denied&from=${start}&to=${end}`;
    const found = await list(`${filters}&sort=occurredAt`);
    expect(found).toHaveLength(3);
    for (const event of found) {
      expect(event).toMatchObject({ actor: { id: reader.id }, outcome: 'denied', status: 403 });
    }
    const sequences = found.map((event: any) => event.sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    const paged = async (sort: string) => {
      const seen: number[] = [];
      for (let after = ''; ;) {
        const path = `${organization.path}/audit-events?${filters}&sort=${sort}&limit=1${after}`;
        const { body } = await auditor.client.get(path);
        seen.push(...body.data.map((event: any) => event.sequence));
        if (body.paging.next === undefined) return seen;
        after = `&after=${body.paging.next.after}`;
      }
    };
    expect(await paged('occurredAt')).toEqual(sequences);
    expect(await paged('-occurredAt')).toEqual([...sequences].reverse());
  });

  it.each(['limit=0', 'limit=201', 'outcome=fine', 'from=yesterday', 'sort=name', 'nothing=1'])(
    'refuses %s, naming the parameter',
    async (query) => {
      const answer = await auditor.client.get(`${organization.path}/audit-events?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.errors[0].pointer).toBe(`/${query.split('=')[0]}`);
    },
  );

  it('refuses a cursor of another organization', async () => {
    const other = await anOrganization(server);
    const reader = await aServiceAccount(server, other, { role: 'auditor' });
    await reader.client.get('/v1/me');
    await reader.client.get('/v1/me');
    const { body } = await reader.client.get(`${other.path}/audit-events?limit=1`);
    const { after } = body.paging.next;
    const answer = await auditor.client.get(
      `${organization.path}/audit-events?limit=1&after=${after}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/after');
  });
});

describe('GET …/audit-events/{eventId}', () => {
  it('finds the event that the list showed', async () => {
    await auditor.client.get('/v1/me');
    const [event] = await list('limit=1');
    const answer = await auditor.client.get(`${organization.path}/audit-events/${event.id}`);
    expect(answer.body).toEqual(event);
  });

  it('tells what was changed, before and after', async () => {
    const owner = await aPerson(server, organization);
    const { path } = await aServiceAccount(server, organization, { name: 'Before' });
    await owner.client.patch(path, { name: 'After' });
    const [{ id }] = await list('action=service_account.updated');
    const { body } = await auditor.client.get(`${organization.path}/audit-events/${id}`);
    expect(body.changes).toEqual({ name: { before: 'Before', after: 'After' } });
  });

  it('does not know events of other organizations', async () => {
    const other = await anOrganization(server);
    const reader = await aServiceAccount(server, other, { role: 'auditor' });
    await reader.client.get('/v1/me');
    const { body } = await reader.client.get(`${other.path}/audit-events?limit=1`);
    const answer = await auditor.client.get(`${organization.path}/audit-events/${body.data[0].id}`);
    expect(answer.status).toBe(404);
  });
});

describe('the chain `system`', () => {
  it('is for instance administrators alone', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const owner = await aPerson(server, organization);
    expect((await administrator.client.get('/v1/audit-events?limit=1')).status).toBe(200);
    expect((await administrator.client.get('/v1/audit-events/verify')).body.valid).toBe(true);
    expect((await owner.client.get('/v1/audit-events')).status).toBe(403);
    expect((await auditor.client.get('/v1/audit-events')).status).toBe(403);
  });
});

describe('GET …/audit-events/verify', () => {
  const verify = async (query = '') =>
    (await auditor.client.get(`${organization.path}/audit-events/verify${query}`)).body;

  /** What only somebody with the database itself can do. */
  async function tamper(...statements: string[]): Promise<void> {
    await server.database.system(async (tx) => {
      for (const table of ['audit_events', 'audit_heads', 'audit_seals']) {
        await tx.$executeRawUnsafe(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      }
      for (const statement of statements) {
        await tx.$executeRawUnsafe(statement.replaceAll('{chain}', organization.id));
      }
      for (const table of ['audit_events', 'audit_heads', 'audit_seals']) {
        await tx.$executeRawUnsafe(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
      }
    });
  }

  const WHERE = `WHERE chain = '{chain}' AND sequence`;

  /** Computes every hash anew from a sequence on, and the head. */
  async function hashAnew(from: number): Promise<void> {
    const events = await eventsOf(server, { chain: organization.id });
    const before = events.find((event) => event.sequence === BigInt(from - 1));
    let previous: Uint8Array = before?.hash ?? Buffer.alloc(32);
    const statements: string[] = [];
    for (const event of events.filter((one) => one.sequence >= BigInt(from))) {
      const numbers = Buffer.alloc(16);
      numbers.writeBigInt64BE(event.sequence, 0);
      numbers.writeBigInt64BE(BigInt(event.occurredAt.getTime()), 8);
      const hash = createHash('sha256')
        .update(previous)
        .update(numbers)
        .update(`${organization.id}\0${event.body}`)
        .digest();
      statements.push(
        `UPDATE audit_events SET previous_hash = '\\x${Buffer.from(previous).toString('hex')}', hash = '\\x${hash.toString('hex')}' ${WHERE} = ${event.sequence}`,
        `UPDATE audit_heads SET sequence = ${event.sequence}, hash = '\\x${hash.toString('hex')}' WHERE chain = '{chain}'`,
      );
      previous = hash;
    }
    await tamper(...statements);
  }

  beforeEach(async () => {
    for (let count = 0; count < 10; count += 1) await auditor.client.get('/v1/me');
  });

  it('accepts what the server wrote, and answers the head', async () => {
    const answer = await verify();
    expect(answer).toMatchObject({ valid: true, events: 10, head: { sequence: 10 } });
    expect(answer.next).toBeUndefined();
  });

  it('goes page by page', async () => {
    expect(await verify('?limit=4')).toMatchObject({ valid: true, events: 4, next: 5 });
    expect(await verify('?fromSequence=5&limit=4')).toMatchObject({ valid: true, next: 9 });
  });

  it.each([
    [
      'an edited body',
      `UPDATE audit_events SET body = replace(body, 'Auditor', 'Nobody') ${WHERE} = 4`,
      4,
    ],
    ['an edited column', `UPDATE audit_events SET outcome = 'denied' ${WHERE} = 4`, 4],
    [
      'a moved time',
      `UPDATE audit_events SET occurred_at = occurred_at + interval '1 hour' ${WHERE} = 4`,
      4,
    ],
    ['a removed event', `DELETE FROM audit_events ${WHERE} = 4`, 4],
    ['events cut off at the end', `DELETE FROM audit_events ${WHERE} > 8`, 9],
    ['a removed first event', `DELETE FROM audit_events ${WHERE} = 1`, 1],
    [
      'an inserted event',
      `INSERT INTO audit_events SELECT chain, sequence, occurred_at + interval '1 second', body, previous_hash, hash, seal, action, outcome, actor_id, key_id, target_id, request_id FROM audit_events ${WHERE} = 4`,
      4,
    ],
    [
      'two swapped events',
      `UPDATE audit_events SET sequence = CASE sequence WHEN 4 THEN 6 ELSE 4 END ${WHERE} IN (4, 6)`,
      4,
    ],
    ['a head set back', `UPDATE audit_heads SET sequence = 8 WHERE chain = '{chain}'`, 9],
  ])('names the place of %s', async (_, statement, firstBadSequence) => {
    await tamper(statement);
    expect(await verify()).toMatchObject({ valid: false, firstBadSequence });
  });

  it('names an edited event although everything was hashed anew', async () => {
    await tamper(`UPDATE audit_events SET body = replace(body, 'Auditor', 'Nobody') ${WHERE} = 4`);
    await hashAnew(4);
    expect(await verify()).toMatchObject({ valid: false, firstBadSequence: 4 });
  });

  it('refuses a start beyond the end, instead of an alarm', async () => {
    const answer = await auditor.client.get(
      `${organization.path}/audit-events/verify?fromSequence=100000`,
    );
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/fromSequence');
  });

  /** As if the ten events had happened a quarter of an hour apart, each sealed in its time. */
  async function anOldChain(): Promise<void> {
    await tamper(
      `UPDATE audit_events SET occurred_at = occurred_at - (11 - sequence) * interval '15 minutes' WHERE chain = '{chain}'`,
    );
    await hashAnew(1);
    const events = await eventsOf(server, { chain: organization.id });
    const seals = server.app.get(Seals);
    await tamper(
      `DELETE FROM audit_seals WHERE chain = '{chain}'`,
      ...events.map(
        ({ sequence, hash }) =>
          `INSERT INTO audit_seals VALUES ('{chain}', ${sequence}, '${seals.head(organization.id, sequence, hash)}')`,
      ),
    );
  }

  it('notices a chain that was shortened and hashed anew although its seals were removed, and does not seal that over', async () => {
    await anOldChain();
    expect((await verify()).valid).toBe(true);
    await tamper(
      `DELETE FROM audit_events ${WHERE} = 4`,
      `UPDATE audit_events SET sequence = sequence - 1 ${WHERE} > 4`,
    );
    await hashAnew(4);
    await tamper(`DELETE FROM audit_seals ${WHERE} >= 4`);
    expect(await verify()).toMatchObject({ valid: false, firstBadSequence: 4 });
    server.app.get(HeadSeals).note(organization.id);
    await server.app.get(HeadSeals).flush();
    expect(await verify()).toMatchObject({ valid: false, firstBadSequence: 4 });
  });

  it('notices a chain that was shortened and hashed anew, by its seals', async () => {
    server.app.get(HeadSeals).note(organization.id);
    await server.app.get(HeadSeals).flush();
    await tamper(
      `DELETE FROM audit_events ${WHERE} = 4`,
      `UPDATE audit_events SET sequence = sequence - 1 ${WHERE} > 4`,
    );
    await hashAnew(4);
    const answer = await verify();
    expect(answer.valid).toBe(false);
    expect(answer.firstBadSequence).toBeLessThanOrEqual(10);
  });
});
