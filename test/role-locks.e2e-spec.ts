import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { onPostgres } from './database.js';
import { eventually } from './eventually.js';
import { type Answer, startServer, type TestServer } from './harness.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';

/** On PGlite one transaction waits for the other anyway. */
const describeOnPostgres = onPostgres ? describe : describe.skip;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/**
 * Whoever registers a permission locks `admin`, then `owner`. Here somebody holds `admin`; while the change waits for it, it
 * must not hold `owner`: else each would wait for the other.
 */
describeOnPostgres('a change between the roles owner and admin waits without holding owner', () => {
  it.each(['of a user', 'by an import', 'of a service account'])('%s', async (which) => {
    const organization = await anOrganization(server);
    const { client } = await aPerson(server, organization);
    const from = which === 'by an import' ? 'admin' : 'owner';
    const person = await aPerson(server, organization, { role: from });
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    const row = { email: person.email, name: person.name, role: 'owner' };
    const changes: Record<string, () => Promise<Answer>> = {
      'of a user': () => client.patch(`${organization.path}/users/${person.id}`, { role: 'admin' }),
      'by an import': () =>
        client.request('POST', `${organization.path}/users/import`, JSON.stringify(row), {
          'content-type': 'application/x-ndjson',
        }),
      'of a service account': () => client.patch(account.path, { role: 'admin' }),
    };
    let changed: Promise<Answer> | undefined;
    await server.database.system(async (tx) => {
      const lock = (key: string) =>
        tx.$queryRaw`SELECT key FROM roles
          WHERE organization_id = ${organization.id} AND key = ${key} FOR NO KEY UPDATE NOWAIT`;
      await lock('admin');
      changed = changes[which]!();
      await eventually(async () => {
        const waiting = await tx.$queryRaw<object[]>`
          SELECT pid FROM pg_locks WHERE locktype IN ('transactionid', 'tuple') AND NOT granted
            AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
        return waiting.length > 0 || undefined;
      });
      await lock('owner');
    });
    expect((await changed)?.status).toBe(200);
  });
});
