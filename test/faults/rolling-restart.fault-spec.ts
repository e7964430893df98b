import { afterAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '../client.js';
import { freePort } from '../free-port.js';
import { killLeftovers } from '../process.js';
import { hasHaproxy, startHaproxy } from './haproxy.js';
import { makeParties, newInstallation } from './installation.js';
import { Ledger } from './ledger.js';
import { startLoad } from './load.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2) >= 20 ? 5 : 1;
/** Until the proxy has asked an instance again. */
const CHECKED_MS = 600;

if (!hasHaproxy)
  process.stdout.write('SKIPPED: there is no haproxy, so rolling restarts are not tested\n');

afterAll(killLeftovers);

(hasHaproxy ? describe : describe.skip)('two instances behind a proxy', () => {
  it('are restarted one after the other without a failed request', async () => {
    const postgres = await PostgresServer.start();
    let stopProxy: (() => void) | undefined;
    try {
      const installation = await newInstallation({
        DATABASE_URL: await postgres.createDatabase('rolling'),
        TRUSTED_PROXIES: '127.0.0.1',
      });
      const ports = [await freePort(), await freePort()];
      const start = (n: number) => installation.start({ PORT: String(ports[n]) });
      const servers = [await start(0), await start(1)];
      const port = await freePort();
      stopProxy = await startHaproxy(port, ports);
      const parties = await makeParties(new Client(`http://127.0.0.1:${port}`));
      const ledger = new Ledger();
      const end = startLoad(parties, ledger);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const n of [0, 1]) {
          await delay(CHECKED_MS);
          expect(await servers[n]!.stop()).toBe(0);
          servers[n] = await start(n);
          await delay(CHECKED_MS);
        }
      }
      await end();
      const statuses = ledger.statuses();
      expect(Object.keys(statuses).filter((status) => Number(status) >= 400)).toEqual([]);
      const reconciled = await ledger.reconcile(parties);
      expect(reconciled.lost).toBe(0);
      report('rolling restart', { restarts: 2 * ROUNDS, ...reconciled, statuses });
      await Promise.all(servers.map((server) => server.stop()));
    } finally {
      killLeftovers();
      stopProxy?.();
      postgres.end();
    }
  });
});
