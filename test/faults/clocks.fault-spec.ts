import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { killLeftovers, type ServerProcess } from '../process.js';
import { makeParties, newInstallation, type Parties } from './installation.js';
import { expectValid } from './ledger.js';
import { PostgresServer } from './postgres-server.js';

const library = findLibrary();
if (library === undefined)
  process.stdout.write('SKIPPED: there is no libfaketime, so wrong clocks are not tested\n');

afterAll(killLeftovers);

(library === undefined ? describe.skip : describe)(
  'instances whose clocks are ten minutes off',
  () => {
    let postgres: PostgresServer;
    let right: ServerProcess;
    /** Ten minutes ahead, and behind. */
    let wrong: ServerProcess[];
    let parties: Parties;

    beforeAll(async () => {
      postgres = await PostgresServer.start();
      const installation = await newInstallation({
        DATABASE_URL: await postgres.createDatabase('clocks'),
        TRUSTED_PROXIES: '127.0.0.1',
      });
      right = await installation.start({ PORT: '0' });
      const off = (by: string) =>
        installation.start({
          PORT: '0',
          LD_PRELOAD: library!,
          FAKETIME: by,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        });
      wrong = [await off('+10m'), await off('-10m')];
      parties = await makeParties(right.client);
    });
    afterAll(async () => {
      await Promise.all([right, ...(wrong ?? [])].map((server) => server?.stop()));
      killLeftovers();
      postgres?.end();
    });

    /** Status of `GET /v1/me` at each, twice, so that the second is from the cache. */
    async function statusesOf(token: string): Promise<number[]> {
      const statuses = [];
      for (const server of [right, ...wrong, ...wrong]) {
        statuses.push((await server.client.withToken(token).get('/v1/me')).status);
      }
      return statuses;
    }

    it('show that they are', async () => {
      const [ahead, behind] = await Promise.all(
        wrong.map(async (server) =>
          Date.parse((await server.client.get('/health/live')).headers.get('date')!),
        ),
      );
      expect(Math.round((ahead! - Date.now()) / 60_000)).toBe(10);
      expect(Math.round((behind! - Date.now()) / 60_000)).toBe(-10);
    });

    it('take a key that has not expired, and none that has', async () => {
      const { admin, accounts } = parties;
      const create = async (inMs: number) => {
        const expiresAt = new Date(Date.now() + inMs).toISOString();
        return (await admin.post(accounts[0]!.keys, { name: `Ends in ${inMs}`, expiresAt })).body;
      };
      const inFiveMinutes = await create(300_000);
      expect(await statusesOf(inFiveMinutes.token)).toEqual([200, 200, 200, 200, 200]);
      const soon = await create(1_500);
      expect(await statusesOf(soon.token)).toEqual([200, 200, 200, 200, 200]);
      while (Date.now() <= Date.parse(soon.expiresAt)) await turn();
      expect(await statusesOf(soon.token)).toEqual([401, 401, 401, 401, 401]);
    });

    it('issue access tokens that hold for as long as they say, everywhere', async () => {
      for (const server of wrong) {
        const { status, body } = await server.client
          .withToken(parties.accounts[1]!.token)
          .request('POST', '/oauth/token', 'grant_type=client_credentials', {
            'content-type': 'application/x-www-form-urlencoded',
          });
        expect(status).toBe(200);
        expect(await statusesOf(body.access_token)).toEqual([200, 200, 200, 200, 200]);
        const claims = JSON.parse(
          Buffer.from(body.access_token.split('.')[1], 'base64url').toString(),
        ) as { iat: number; exp: number };
        expect(claims.exp - claims.iat).toBe(body.expires_in);
        expect(Math.abs(claims.iat * 1_000 - Date.now())).toBeLessThan(60_000);
      }
    });

    it('write the trail by the clock of the database', async () => {
      const { admin, path } = parties;
      const { body } = await admin.get(`${path}/audit-events?limit=50`);
      for (const { occurredAt } of body.data) {
        expect(Math.abs(Date.parse(occurredAt) - Date.now())).toBeLessThan(120_000);
      }
      await expectValid(admin, path);
    });
  },
);

function findLibrary(): string | undefined {
  const libraries = '/usr/lib';
  const folders = existsSync(libraries) ? readdirSync(libraries) : [];
  return folders
    .map((folder) => join(libraries, folder, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}
