// Measures Claviger side by side with what one might use instead, on PostgreSQL and embedded: `npm run bench -- --help`.
// Prints a Markdown table and writes bench/results/<time>.json. docs/benchmarks.md says what each row is.
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asSuperuser } from '../scripts/private-postgres.mjs';
import { chooseLoad, measure, measurePaced } from './lib/load.mjs';
import { readOptions, USAGE } from './lib/options.mjs';
import { LOAD_CORE, memoryOf } from './lib/processes.mjs';
import { compare, comparisonTable, table } from './lib/report.mjs';
import { openScene } from './lib/scene.mjs';
import { probe, startTargets } from './lib/targets.mjs';

/** An event with its indexes, and what PostgreSQL logs of it before. */
const BYTES_PER_EVENT = 2_500;
/** Before each measurement. The servers run through all rounds, so only the first one finds them cold. */
const WARM_UP_SECONDS = 1;
/** Until the engine has compiled what it will. */
const FIRST_WARM_UP_SECONDS = 8;

if (process.argv.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const startedAt = new Date();
const note = (text) => {
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${text}\n`);
};
await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

async function main() {
  const options = readOptions(process.argv.slice(2));
  const load = chooseLoad(options.load);
  requireMachine(options);
  const { folder, startPostgres } = openScene('bench');
  const { createDatabase, superuserUrl } = await startPostgres(databaseOptions());
  const targets = await startTargets(options, { createDatabase, folder, note });
  const machine = await describe(superuserUrl, load);
  // What filling left for later would be done while something is measured.
  await asSuperuser(superuserUrl, 'CHECKPOINT');
  const rows = await measureAll(targets, options, { load, folder });
  report(rows, options, machine);
  process.exit(rows.some(hasFailed) ? 1 : 0);
}

function requireMachine({ only, databases, events }) {
  if (process.platform !== 'linux' || cpus().length <= LOAD_CORE) {
    throw new Error(
      'The benchmarks need Linux and two cores: one for the servers, one for the load.',
    );
  }
  const large = only.includes('f100k') && databases.includes('postgres') ? events : 0;
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize < large * BYTES_PER_EVENT) {
    const needed = Math.ceil((large * BYTES_PER_EVENT) / 1e9);
    throw new Error(`${tmpdir()} needs ${needed} GB for ${large} events; set TMPDIR, or --events.`);
  }
}

/** PostgreSQL as it comes, durable, with more memory than its very small default. */
function databaseOptions() {
  const megabytes = Math.min(1_024, Math.floor(totalmem() / 2 ** 20 / 4));
  const settings = { fsync: 'on', synchronous_commit: 'on', shared_buffers: `${megabytes}MB` };
  return { settings, core: LOAD_CORE };
}

async function describe(superuserUrl, load) {
  const [{ server_version: version }] = await asSuperuser(superuserUrl, 'SHOW server_version');
  return {
    date: startedAt.toISOString(),
    processor: `${cpus().length} × ${cpus()[0].model.trim()}`,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres: version,
    load,
  };
}

/** Every round visits all targets, each round beginning elsewhere, so that what disturbs the machine disturbs them all. */
async function measureAll(targets, options, { load, folder }) {
  const { rounds, seconds, quick } = options;
  const rows = [];
  for (const target of targets) {
    rows.push({ ...target, answerBytes: await probe(target), rounds: [] });
  }
  const minutes = (rounds * rows.length * (seconds + WARM_UP_SECONDS)) / 60;
  note(
    `${rows.length} targets, ${rounds} rounds: about ${Math.ceil(minutes)} minutes with ${load}`,
  );
  for (let round = 0; round < rounds; round += 1) {
    const first = Math.floor((round * rows.length) / rounds);
    for (const row of [...rows.slice(first), ...rows.slice(0, first)]) {
      const once = (duration) => loadOnce(row, duration, { load, folder });
      const isCold = round === 0 && !quick;
      const warmUp = await once(isCold ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
      const measured = await once(seconds);
      measured.failed += warmUp.failed;
      row.rounds.push(measured);
      row.memory = memoryOf(row.server.pid);
      noteRound(round, row, measured);
    }
  }
  return rows;
}

function loadOnce({ server, asked, connections, perSecond }, seconds, { load, folder }) {
  const common = { url: server.url, requests: asked.requests, seconds, folder };
  return perSecond === undefined
    ? measure(load, { ...common, connections })
    : measurePaced({ ...common, perSecond });
}

function noteRound(round, { id, label, database, connections }, measured) {
  const rate = `${Math.round(measured.perSecond)}/s, p50 ${measured.p50.toFixed(2)} ms`;
  const failed = measured.failed > 0 ? `, ${measured.failed} FAILED` : '';
  const where = [database, connections].filter(Boolean).join(', ');
  note(`round ${round + 1}  ${id}  ${label} (${where}): ${rate}${failed}`);
}

function hasFailed({ rounds }) {
  return rounds.some(({ failed, requests }) => failed > 0 || requests === 0);
}

function report(rows, options, machine) {
  const plain = rows.map((row) => ({ ...row, server: undefined, asked: undefined }));
  const comparisons = compare(plain, options);
  const directory = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${machine.date.replaceAll(':', '-')}.json`);
  const result = { machine, options, rows: plain, comparisons };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  note(`written to ${file}`);
  const { processor, memoryGigabytes, node, postgres, load, date } = machine;
  const { rounds, seconds } = options;
  process.stdout.write(
    `${processor}, ${memoryGigabytes} GB, Node ${node}, PostgreSQL ${postgres}, ${load}, ${date.slice(0, 10)}, ` +
      `medians of ${rounds} rounds of ${seconds} s:\n\n${table(plain)}\n\n${comparisonTable(comparisons)}\n`,
  );
  for (const { id, label, database } of rows.filter(hasFailed)) {
    process.stderr.write(`FAILED: not every request of ${id} ${label} (${database}) succeeded\n`);
  }
}
