// npm run test:upgrade            the previous release's server and its own end-to-end tests on the schema of this version, and
//                                 both versions side by side on one database
// npm run test:upgrade -- --full  all of its end-to-end tests
// npm run test:upgrade -- keys users   these of them
// The previous release is built in a temporary folder; PostgreSQL is a private one, in which every new database has the schema
// that this version's build has made. Exits as Jest does. Where the history does not have the release it says so and exits 0.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease, findPreviousRelease, settings } from './previous-release.mjs';
import { asSuperuser, startPrivatePostgres } from './private-postgres.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const isFull = process.argv.includes('--full');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const { subset, leftOut } = settings();

const previous = findPreviousRelease();
if (previous.missing !== undefined) skip(previous.missing);
const folder = mkdtempSync(join(tmpdir(), 'claviger-previous-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

console.log(`The previous release is ${previous.name}; it is built in ${folder}.`);
buildRelease(previous.commit, folder, isFull || named.length > 0 ? ['build'] : ['build:server']);
const postgres = await startPrivatePostgres({ settings: { max_connections: 200 } });
process.on('exit', postgres.stop);
await migrateTemplate();

const specs = (names) => names.map((name) => `/test/${name}\\.e2e-spec\\.ts$`);
const ignored = ['/node_modules/', ...specs(Object.keys(leftOut))];
const theirs = jest(folder, [
  ...(isFull ? ['/test/.*\\.e2e-spec\\.ts$'] : specs(named.length > 0 ? named : subset)),
  `--testPathIgnorePatterns=${ignored.join('|')}`,
  '--maxWorkers=2',
]);
const together = jest(root, ['--config=test/upgrade/jest.config.js']);
process.exit(theirs || together);

/**
 * `template0` is what tests make their databases from. With the schema in it, the previous release finds nothing to migrate,
 * and neither its code nor its tests need a change to meet it.
 */
async function migrateTemplate() {
  const alter = (what) => asSuperuser(postgres.superuserUrl, `ALTER DATABASE template0 ${what}`);
  await alter('ALLOW_CONNECTIONS true');
  await alter('OWNER TO claviger');
  const { migratePostgres } = await import('../dist/database/postgres.js');
  await migratePostgres(postgres.url.replace(/\/postgres$/, '/template0'));
  await alter('ALLOW_CONNECTIONS false');
}

function jest(cwd, args) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const bin = join(cwd, 'node_modules/jest/bin/jest.js');
  const env = { ...process.env, TEST_DATABASE_URL: postgres.url, PREVIOUS_RELEASE: folder };
  return spawnSync(process.execPath, [...flags, bin, ...args], { cwd, stdio: 'inherit', env })
    .status;
}

function skip(reason) {
  console.error(`SKIPPED: the previous release is not tested on this schema, because ${reason}`);
  if (process.env.TEST_TOTALS) appendFileSync(process.env.TEST_TOTALS, '0 0 1\n');
  process.exit(0);
}
