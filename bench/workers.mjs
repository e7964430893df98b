// Measures several processes on one PostgreSQL: `WORKERS` of 1, 2 and 4, all requests for one organization and for a thousand;
// and the head of a chain by itself. Prints Markdown tables. docs/benchmarks.md says what they show.
//   npm run bench:workers [-- --organizations 1000 --rounds 3 --seconds 5]
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { bearer, post, start } from './lib/claviger.mjs';
import { ADMIN, environment } from './lib/environment.mjs';
import { measureHeads } from './lib/heads.mjs';
import { chooseLoad, measure } from './lib/load.mjs';
import { median, spread } from './lib/report.mjs';
import { openScene } from './lib/scene.mjs';

const { values } = parseArgs({
  options: {
    organizations: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
  },
});
const ORGANIZATIONS = Number(values.organizations);
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const WORKERS = [1, 2, 4];
const CONNECTIONS = 64;
const HOT_TOKENS = 100;
const WARM_UP_SECONDS = 5;
/** So many organizations are made in one session: it may do it 500 times a minute. */
const ONE_SESSION = 400;

const { folder, startPostgres } = openScene('workers');
const postgres = await startPostgres({
  settings: {
    fsync: 'on',
    synchronous_commit: 'on',
    shared_buffers: '512MB',
    max_connections: 200,
  },
});
const databaseUrl = await postgres.createDatabase('claviger');
const env = { ...environment(join(folder, 'data'), databaseUrl), PORT: '0', LOG_LEVEL: 'warn' };
mkdirSync(env.DATA_DIR);
const tokens = await fill();
const rows = await measureServers();
const heads = await measureHeads(databaseUrl, {
  chains: tokens.chains,
  seconds: SECONDS,
  rounds: ROUNDS,
});
process.stdout.write(
  `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}, medians of ${ROUNDS} rounds of ${SECONDS} s\n\n`,
);
process.stdout.write(`${serverTable(rows)}\n\n${headTable(heads)}\n`);
process.exit(rows.some(({ failed }) => failed > 0) ? 1 : 0);

/** Organizations with a service account each; the first has a hundred. */
async function fill() {
  const server = await start(env);
  const logIn = async () => (await post(`${server.url}/v1/sessions`, ADMIN)).token;
  let session = await logIn();
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const [many, chains, hot] = [[], [], []];
  const account = async (organization, name) => {
    const path = `/v1/organizations/${organization}/service-accounts`;
    return (await post(server.url + path, { name, role: 'viewer' }, session)).key.token;
  };
  for (let n = 0; n < ORGANIZATIONS; n += 1) {
    if (n % ONE_SESSION === ONE_SESSION - 1) session = await logIn();
    const { id } = await post(
      `${server.url}/v1/organizations`,
      { name: `Organization ${n}` },
      session,
    );
    chains.push(id);
    many.push(await account(id, 'Load'));
  }
  for (let n = 0; n < HOT_TOKENS; n += 1) hot.push(await account(chains[0], `Hot ${n}`));
  await database.query('UPDATE organizations SET requests_per_minute = 1000000');
  await database.query('VACUUM ANALYZE');
  await database.end();
  await server.stop();
  return { chains, hot, many };
}

/** Every round visits every number of processes; nothing is pinned, so that they have all cores there are. */
async function measureServers() {
  const rows = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const workers of WORKERS) {
      const server = await start({ ...env, WORKERS: String(workers) });
      for (const kind of ['hot', 'many']) {
        const requests = tokens[kind].map((token) => ({
          method: 'GET',
          path: '/v1/me',
          headers: bearer(token),
        }));
        const load = { url: server.url, requests, connections: CONNECTIONS, folder, core: null };
        const program = chooseLoad(undefined);
        await measure(program, { ...load, seconds: WARM_UP_SECONDS });
        const { perSecond, p50, p99, failed } = await measure(program, {
          ...load,
          seconds: SECONDS,
        });
        process.stderr.write(
          `round ${round + 1}  ${workers} ${kind}: ${Math.round(perSecond)}/s\n`,
        );
        rows.push({ workers, kind, perSecond, p50, p99, failed });
      }
      await server.stop();
    }
  }
  return rows;
}

function serverTable(measured) {
  const line = (workers, kind) => {
    const some = measured.filter((row) => row.workers === workers && row.kind === kind);
    const of = (name) => some.map((row) => row[name]);
    const rates = of('perSecond');
    return `| ${workers} | ${kind === 'hot' ? 'one' : ORGANIZATIONS} | ${spread(rates)} | ${median(of('p50')).toFixed(2)} | ${median(of('p99')).toFixed(2)} | ${of('failed').reduce((a, b) => a + b)} |`;
  };
  return [
    '| processes | organizations | requests/s (min–max) | p50 ms | p99 ms | failed |',
    '|---:|---:|---:|---:|---:|---:|',
    ...WORKERS.flatMap((workers) => ['hot', 'many'].map((kind) => line(workers, kind))),
  ].join('\n');
}

function headTable(measured) {
  return [
    '| writers | batch | chains | events/s (min–max) |',
    '|---:|---:|---|---:|',
    ...measured.map(
      ({ writers, batch, shared, rates }) =>
        `| ${writers} | ${batch} | ${shared ? 'one' : 'one each'} | ${spread(rates)} |`,
    ),
  ].join('\n');
}
