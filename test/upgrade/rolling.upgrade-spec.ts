import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Client } from '../client.js';
import { emptyDatabase } from '../database.js';
import { makeParties, newInstallation, type Parties } from '../faults/installation.js';
import { expectValid } from '../faults/ledger.js';
import { killLeftovers, type ServerProcess, startProcess } from '../process.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** One direction of everything: what is done here must hold there. */
const DIRECTIONS = [
  ['the previous release', 'this version'],
  ['this version', 'the previous release'],
] as const;

/** The previous release makes the database and goes on; this version comes, migrates it and serves beside it. */
describe('two versions on one database', () => {
  let env: Record<string, string>;
  let cleanup: (() => Promise<void>) | undefined;
  let servers: Record<string, ServerProcess>;
  let parties: Parties;

  const startPrevious = () =>
    startProcess(env, join(process.env.PREVIOUS_RELEASE!, 'dist/main.js'));
  /** The same caller at that version. */
  const at = (version: string, { token }: { token?: string } = parties.admin): Client =>
    servers[version]!.client.withToken(token);
  const statusOf = async (version: string, token: string) =>
    (await at(version, { token }).get('/v1/me')).status;
  /** Asked twice, so that the second answer is from the cache. */
  const statusesOf = async (token: string) => {
    const statuses = [];
    for (const version of Object.keys(servers)) {
      statuses.push(await statusOf(version, token), await statusOf(version, token));
    }
    return statuses;
  };
  const accessToken = async (version: string, token: string) => {
    const grant = 'grant_type=client_credentials';
    return at(version, { token }).request('POST', '/oauth/token', grant, FORM);
  };

  beforeAll(async () => {
    // Whoever makes the database must find nothing in it: template0 has the schema of this version here.
    const database = await emptyDatabase('template1');
    cleanup = database.cleanup;
    env = { ...(await newInstallation({ DATABASE_URL: database.url })).env, PORT: '0' };
    const previous = await startPrevious();
    parties = await makeParties(previous.client);
    servers = { 'the previous release': previous, 'this version': await startProcess(env) };
  });
  afterAll(async () => {
    await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()));
    killLeftovers();
    await cleanup?.();
  });

  it('both serve what was there before', async () => {
    for (const { token } of parties.accounts) {
      expect(await statusesOf(token)).toEqual([200, 200, 200, 200]);
    }
    expect(await statusesOf(parties.operator.token!)).toEqual([200, 200, 200, 200]);
  });

  it('the previous release starts on the newer schema', async () => {
    const another = await startPrevious();
    const client = another.client.withToken(parties.admin.token);
    expect((await client.get(parties.path)).status).toBe(200);
    expect(await another.stop()).toBe(0);
  });

  describe.each(DIRECTIONS)('from %s to %s', (here, there) => {
    const create = async (name: string, headers: Record<string, string> = {}) =>
      at(here).post(parties.accounts[0]!.keys, { name: `${name} ${here}` }, headers);

    it('a key works, and is refused as soon as it is revoked', async () => {
      const { body } = await create('Revoked');
      expect(await statusesOf(body.token)).toEqual([200, 200, 200, 200]);
      const path = `${parties.accounts[0]!.keys}/${body.id}`;
      expect((await at(here).delete(path)).status).toBe(204);
      expect(await statusOf(there, body.token)).toBe(401);
    });

    it('an account is refused as soon as it is disabled, and accepted again', async () => {
      const { id, token } = parties.accounts[1]!;
      const account = `${parties.path}/service-accounts/${id}`;
      expect(await statusesOf(token)).toEqual([200, 200, 200, 200]);
      expect((await at(here).post(`${account}/disable`)).status).toBe(200);
      expect(await statusOf(there, token)).toBe(401);
      expect((await at(here).post(`${account}/enable`)).status).toBe(200);
      expect(await statusOf(there, token)).toBe(200);
    });

    it('a role counts as soon as it is changed', async () => {
      const { id, token } = parties.accounts[2]!;
      const account = `${parties.path}/service-accounts/${id}`;
      const users = async () => (await at(there, { token }).get(`${parties.path}/users`)).status;
      expect(await users()).toBe(200);
      expect((await at(here).patch(account, { role: 'verifier' })).status).toBe(200);
      expect(await users()).toBe(403);
      expect((await at(here).patch(account, { role: 'viewer' })).status).toBe(200);
      expect(await users()).toBe(200);
    });

    it('a retry gets the first answer, token included', async () => {
      const headers = { 'idempotency-key': `retry of ${here}` };
      const first = await create('Retried', headers);
      expect(first.status).toBe(201);
      const path = parties.accounts[0]!.keys;
      const retry = await at(there).post(path, { name: `Retried ${here}` }, headers);
      expect([retry.status, retry.body]).toEqual([201, first.body]);
    });

    it('an access token is accepted, and refused as soon as it is revoked', async () => {
      const { token } = parties.accounts[3]!;
      const { status, body } = await accessToken(here, token);
      expect(status).toBe(200);
      const access = body.access_token as string;
      expect(await statusesOf(access)).toEqual([200, 200, 200, 200]);
      const words = `token=${access}`;
      const revoked = await at(here, { token }).request('POST', '/oauth/revoke', words, FORM);
      expect(revoked.status).toBe(200);
      expect(await statusOf(there, access)).toBe(401);
    });
  });

  it('the same request many times at once, at both, is done once', async () => {
    const path = parties.accounts[0]!.keys;
    const name = 'Asked for by many';
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        at(DIRECTIONS[n % 2]![0]).post(path, { name }, { 'idempotency-key': 'many' }),
      ),
    );
    const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(1);
    // Who came while the first was being worked on is told so.
    expect(answers.map(({ status }) => status).filter((s) => s !== 201 && s !== 409)).toEqual([]);
    const { body } = await at('this version').get(`${path}?limit=200`);
    expect(body.data.filter((key: { name: string }) => key.name === name)).toHaveLength(1);
  });

  it('the trail, to which both have written, is found whole by both', async () => {
    for (const version of Object.keys(servers)) {
      await expectValid(at(version), parties.path);
      await expectValid(at(version, parties.operator), '/v1');
    }
  });

  it('after a roll back the previous release goes on', async () => {
    expect(await servers['this version']!.stop()).toBe(0);
    const again = await startPrevious();
    const client = again.client.withToken(parties.admin.token);
    const headers = { 'idempotency-key': 'after the roll back' };
    const made = await client.post(parties.accounts[0]!.keys, { name: 'Rolled back' }, headers);
    expect(made.status).toBe(201);
    await expectValid(client, parties.path);
    expect(await again.stop()).toBe(0);
  });
});
