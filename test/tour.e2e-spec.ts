import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { emptyDatabase, onPostgres } from './database.js';
import { killLeftovers, startProcess } from './process.js';

const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
/** The README promises curl; a machine without it can do everything else. */
const itWithCurl = spawnSync('curl', ['--version']).status === 0 ? it : it.skip;

/** The README's steps, each followed by a line that tells their outputs apart. */
function tourScript(): string {
  const steps = [...README.matchAll(/<!-- tour -->\n```sh\n([\s\S]*?)```/g)].map(
    ([, code]) => code,
  );
  expect(steps).toHaveLength(5);
  return steps.map((step, index) => `${step}\necho "== end of step ${index + 1}"`).join('\n');
}

afterAll(killLeftovers);

describe('the tour of the README', () => {
  itWithCurl(
    'does what it says, typed as it stands, against the built server',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'claviger-tour-'));
      const database = onPostgres ? await emptyDatabase() : undefined;
      const server = await startProcess({
        DATA_DIR: directory,
        ADMIN_EMAIL: 'ada@example.com',
        ADMIN_PASSWORD: 'correct horse battery',
        ORGANIZATION_NAME: 'Acme',
        LOG_LEVEL: 'trace',
        ...(database
          ? { DATABASE_URL: database.url, PEPPER: randomBytes(32).toString('base64') }
          : {}),
      });
      try {
        const { stdout } = await promisify(execFile)('bash', ['-euc', tourScript()], {
          env: { PATH: process.env.PATH, CLAVIGER: server.url },
        });
        const [, , me, trail, revoked] = stdout.split(/== end of step \d\n/);
        expect(JSON.parse(me!)).toMatchObject({
          kind: 'serviceAccount',
          name: 'Salesforce Integration',
          role: { key: 'provisioner' },
        });
        expect(trail).toContain('Salesforce Integration | http.request | /v1/me | 200');
        const lines = revoked!.trim().split('\n');
        expect(lines[0]).toBe('204');
        expect(lines.at(-1)).toBe('401');
        expect(server.output()).not.toContain('correct horse battery');
        expect(await server.stop()).toBe(0);
      } finally {
        await server.stop('SIGKILL');
        await database?.cleanup();
        rmSync(directory, { recursive: true, force: true });
      }
    },
    60_000,
  );
});
