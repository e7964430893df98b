import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { onPostgres } from './database.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** PGlite has one connection: no other transaction can hold a head there. */
const onPostgresIt = onPostgres ? it : it.skip;

describe('a chain whose head another transaction holds', () => {
  onPostgresIt('keeps its own requests waiting, and nobody else’s', async () => {
    const [slow, quick] = [await anOrganization(server), await anOrganization(server)];
    const slowAccount = await aServiceAccount(server, slow);
    const quickAccount = await aServiceAccount(server, quick);
    const owner = await aPerson(server, quick);
    const holder = new pg.Client(server.config.databaseUrl);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT * FROM audit_heads WHERE chain = $1 FOR UPDATE', [slow.id]);

    let isAnswered = false;
    const waiting = slowAccount.client.get('/v1/me').then((answer) => {
      isAnswered = true;
      return answer;
    });
    // Reads and changes of the other organization all come back while the head is still held.
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all([
        quickAccount.client.get('/v1/me'),
        quickAccount.client.get('/v1/me'),
        owner.client.post(`${quick.path}/service-accounts`, { name: `A${round}`, role: 'viewer' }),
        owner.client.get(quick.path),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 201, 200]);
    }
    expect(isAnswered).toBe(false);
    await holder.query('ROLLBACK');
    await holder.end();
    expect((await waiting).status).toBe(200);
  });
});

describe('200 parallel creations', () => {
  it('are all there, each with its events, on one unbroken chain', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        owner.client.post(`${organization.path}/service-accounts`, {
          name: `Integration ${index}`,
          role: 'viewer',
        }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    const events = await eventsOf(server, { chain: organization.id });
    for (const { headers, body } of answers) {
      const own = events.filter((event) => event.requestId === headers.get('x-request-id'));
      expect(own.map((event) => event.action).sort()).toEqual([
        'http.request',
        'key.created',
        'service_account.created',
      ]);
      expect(own.map((event) => event.targetId)).toContain(body.serviceAccount.id);
    }
    expect(events).toHaveLength(600);
    const { body } = await owner.client.get(`${organization.path}/audit-events/verify`);
    expect(body).toMatchObject({ valid: true, events: 600 });
  });
});
