import { afterAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { emptyDatabase, onPostgres } from './database.js';
import type { Answer, Client } from './harness.js';
import { killLeftovers, type ServerProcess, startProcess } from './process.js';

const ADMIN = {
  ADMIN_EMAIL: 'ada@example.com',
  ADMIN_PASSWORD: 'a long enough passphrase',
  ORGANIZATION_NAME: 'Acme',
};

afterAll(killLeftovers);

/** Logs in and makes a service account; answers the paths to work with. */
async function begin(server: ServerProcess) {
  const { body } = await server.client.post('/v1/sessions', {
    email: ADMIN.ADMIN_EMAIL,
    password: ADMIN.ADMIN_PASSWORD,
  });
  const client = server.client.withToken(body.token);
  const path = `/v1/organizations/${body.organizations[0].id}`;
  await client.patch(path, { settings: { maxKeysPerServiceAccount: 100 } });
  const account = await client.post(`${path}/service-accounts`, { name: 'Busy', role: 'viewer' });
  const keys = `${path}/service-accounts/${account.body.serviceAccount.id}/keys`;
  return { token: client.token, path, keys };
}

function createKey(client: Client, keys: string, name: string): Promise<Answer> {
  return client.post(keys, { name }, { 'idempotency-key': name });
}

/** One key of this name with one `key.created`, whose token works and which the trail proves. */
async function expectOne(client: Client, path: string, keys: string, answer: Answer) {
  expect(answer.status).toBe(201);
  const { body: listed } = await client.get(`${keys}?limit=200`);
  const named = listed.data.filter(({ name }: { name: string }) => name === answer.body.name);
  expect(named.map(({ id }: { id: string }) => id)).toEqual([answer.body.id]);
  expect((await client.withToken(answer.body.token).get('/v1/me')).status).toBe(200);
  const events = await client.get(`${path}/audit-events?target=${answer.body.id}`);
  const actions = events.body.data.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(['key.created']);
  expect((await client.get(`${path}/audit-events/verify`)).body.valid).toBe(true);
}

(onPostgres ? describe : describe.skip)('a server that is killed between commit and answer', () => {
  it('has given the first answer to the retry: one key, the same token', async () => {
    const database = await emptyDatabase();
    const pepper = randomBytes(32).toString('base64');
    const env = { DATABASE_URL: database.url, PEPPER: pepper, LOG_LEVEL: 'warn', ...ADMIN };
    const side = new pg.Client(database.directUrl);
    try {
      const first = await startProcess(env);
      const { token, path, keys } = await begin(first);
      await side.connect();
      // The change commits; the event of its answer, without which nothing leaves, waits for this lock.
      await side.query('SELECT pg_advisory_lock(4711)');
      await side.query(`
        CREATE FUNCTION hold_answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.action = 'http.request' THEN PERFORM pg_advisory_xact_lock(4711); END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER hold_answer BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION hold_answer()`);
      const lost = createKey(first.client.withToken(token), keys, 'Crash').then(
        ({ status }) => status,
        () => 'cut',
      );
      for (let committed = 0; committed === 0;) {
        const { rows } = await side.query("SELECT id FROM keys WHERE name = 'Crash'");
        committed = rows.length;
      }
      await first.stop('SIGKILL');
      expect(await lost).toBe('cut');
      await side.query('SELECT pg_advisory_unlock(4711)');
      await side.query('DROP TRIGGER hold_answer ON audit_events');
      const second = await startProcess(env);
      const client = second.client.withToken(token);
      const answer = await createKey(client, keys, 'Crash');
      expect(answer.headers.get('idempotency-replayed')).toBe('true');
      await expectOne(client, path, keys, answer);
      expect(await second.stop()).toBe(0);
    } finally {
      killLeftovers();
      await side.end();
      await database.cleanup();
    }
  }, 60_000);
});

(onPostgres ? describe.skip : describe)(
  'an embedded server that is killed while it creates',
  () => {
    it('has made one key after the retry, whenever the kill came', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'claviger-crash-'));
      const env = { DATA_DIR: directory, LOG_LEVEL: 'warn', ...ADMIN };
      try {
        let server = await startProcess(env);
        const { token, path, keys } = await begin(server);
        for (const [round, killAfterMs] of [0, 4, 8, 16, 40].entries()) {
          const name = `Crash ${round}`;
          const first = createKey(server.client.withToken(token), keys, name).catch(
            () => undefined,
          );
          await delay(killAfterMs);
          await server.stop('SIGKILL');
          const answered = await first;
          server = await startProcess(env);
          const client = server.client.withToken(token);
          const retry = await createKey(client, keys, name);
          if (answered !== undefined) expect(retry.body).toEqual(answered.body);
          await expectOne(client, path, keys, retry);
        }
        expect(await server.stop()).toBe(0);
      } finally {
        killLeftovers();
        rmSync(directory, { recursive: true, force: true });
      }
    }, 120_000);
  },
);
