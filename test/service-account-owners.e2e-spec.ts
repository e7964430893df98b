import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { onPostgres } from './database.js';
import { eventually } from './eventually.js';
import { startServer, type TestServer } from './harness.js';
import { anOrganization, aPerson } from './factories.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** PGlite has one connection: nothing happens there between a look and the write after it. */
const onPostgresIt = onPostgres ? it : it.skip;

/** Until a request waits for what another transaction holds. */
async function somebodyWaits(): Promise<void> {
  await eventually(() =>
    server.database.system(async (tx) => {
      const [row] = await tx.$queryRaw<{ waits: boolean }[]>`
        SELECT EXISTS (SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits`;
      return row?.waits ? true : undefined;
    }),
  );
}

describe('an owner who is removed in the same moment', () => {
  onPostgresIt('is refused by name, as one who was removed before', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const leaving = await aPerson(server, organization, { role: 'viewer' });
    const holder = new pg.Client(server.config.databaseUrl);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2', [
      organization.id,
      leaving.id,
    ]);

    const accounts = `${organization.path}/service-accounts`;
    const input = { name: 'Payroll', role: 'viewer', ownerId: leaving.id };
    const answer = owner.client.post(accounts, input);
    await somebodyWaits();
    await holder.query('COMMIT');
    await holder.end();

    const { status, body } = await answer;
    expect([status, body.errors]).toMatchObject([400, [{ pointer: '/ownerId' }]]);
    expect((await owner.client.get(accounts)).body.data).toEqual([]);
  });
});
