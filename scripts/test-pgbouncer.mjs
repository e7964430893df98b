// Runs the end-to-end tests with every server behind a PgBouncer in transaction mode, on a private PostgreSQL. Further
// arguments go to Jest. Exits as Jest does.
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startPrivatePostgres } from './private-postgres.mjs';

const postgres = await startPrivatePostgres({
  settings: { timezone: 'Asia/Kolkata', max_connections: 300 },
});
const { uid, gid } = postgres.pgCtl.options;
const folder = mkdtempSync(join(tmpdir(), 'claviger-pgbouncer-'));
const port = await freePort();
writeFileSync(join(folder, 'users.txt'), '"claviger" ""\n');
writeFileSync(
  join(folder, 'pgbouncer.ini'),
  `[databases]
* = host=127.0.0.1 port=${new URL(postgres.url).port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users.txt
pool_mode = transaction
default_pool_size = 20
max_client_conn = 2000
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits
logfile =
`,
);
if (uid !== undefined) chownSync(folder, uid, gid);
const options = { uid, gid, stdio: ['ignore', 'ignore', 'inherit'] };
const bouncer = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], options);
bouncer.once('error', (error) => fail(`pgbouncer: ${error.message}`));
bouncer.once('exit', (code) => fail(`pgbouncer exited with ${code}`));
process.on('exit', () => {
  bouncer.kill('SIGKILL');
  postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const pooler = new URL(postgres.url);
pooler.port = String(port);
const script = fileURLToPath(new URL('test-postgres.mjs', import.meta.url));
const tests = spawn(process.execPath, [script, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    ...process.env,
    TEST_DATABASE_URL: postgres.url,
    TEST_POOLER_URL: pooler.href,
    // Named statements go through a PgBouncer from 1.21 on.
    PREPARED_STATEMENTS: 'false',
  },
});
tests.on('exit', (code) => process.exit(code ?? 1));

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
