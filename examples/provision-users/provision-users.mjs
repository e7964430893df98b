#!/usr/bin/env node
// Makes the users of a CSV file, in chunks, with a progress bar. Safe to stop and to start again: what is
// done is noted beside the file, and importing a row twice changes nothing.
import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { CLAVIGER_URL = 'http://localhost:3000', CLAVIGER_TOKEN } = process.env;
const file = process.argv[2];
const ROWS_PER_CHUNK = 200;
const ATTEMPTS = 6;

if (!file || !CLAVIGER_TOKEN) {
  console.error('Usage: CLAVIGER_TOKEN=… [CLAVIGER_URL=…] provision-users.mjs users.csv');
  process.exit(2);
}

const text = await readFile(file, 'utf8');
const [header, ...rows] = records(text.replace(/^\uFEFF/, ''));
const me = await (await call('/v1/me')).json();
const path = `/v1/organizations/${me.organization.id}/users/import`;
const progress = await openProgress();
const counts = {};
showBar();
while (progress.done < rows.length) {
  const chunk = rows.slice(progress.done, progress.done + ROWS_PER_CHUNK);
  const answers = await send([header, ...chunk].join('\n') + '\n');
  for (const [index, { status, email, errors }] of answers.entries()) {
    counts[status] = (counts[status] ?? 0) + 1;
    if (status !== 'failed') continue;
    // The answer counts the lines of the chunk; of use is which row of the file it is, the header aside.
    const failed = { row: progress.done + index + 1, email, errors };
    await appendFile(`${file}.failed.ndjson`, `${JSON.stringify(failed)}\n`);
  }
  await progress.save(progress.done + chunk.length);
  showBar();
}
await progress.forget();
process.stderr.write('\n');
console.log(JSON.stringify({ account: me.name, rows: rows.length, ...counts }));
process.exitCode = counts.failed ? 1 : 0;

/** Imports one chunk and answers what became of each row; a chunk that broke off or ended early is simply sent again. */
async function send(csv) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await call(path, {
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
        body: csv,
      });
      const lines = (await response.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const { complete, reason } = lines.pop();
      if (!complete) throw new Error(`The import ended early: ${reason}`);
      return lines;
    } catch (error) {
      if (error.fatal || attempt === ATTEMPTS) throw error;
      await sleep(500 * 2 ** attempt);
    }
  }
}

/** One request; waits and tries again while the server says that it is busy or that we are too fast. */
async function call(target, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(CLAVIGER_URL + target, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${CLAVIGER_TOKEN}` },
    });
    if (response.ok) return response;
    const problem = await response.json();
    const isPassing = response.status === 429 || response.status === 503;
    if (!isPassing || attempt === ATTEMPTS) {
      const error = new Error(
        `${response.status} ${problem.code}: ${problem.detail} (${problem.requestId})`,
      );
      throw Object.assign(error, { fatal: !isPassing });
    }
    await sleep(1000 * Number(response.headers.get('retry-after') ?? 2 ** attempt));
  }
}

/** How far an earlier run of the same file came. */
async function openProgress() {
  const note = `${file}.progress.json`;
  const hash = createHash('sha256').update(text).digest('hex');
  const earlier = await readFile(note, 'utf8').then(JSON.parse, () => undefined);
  return {
    done: earlier?.hash === hash ? earlier.done : 0,
    async save(done) {
      this.done = done;
      await writeFile(note, JSON.stringify({ hash, done }));
    },
    forget: () => rm(note, { force: true }),
  };
}

/** The records of a CSV text; a quoted value may hold line breaks. */
function records(csv) {
  const found = csv.match(/(?:"(?:[^"]|"")*"|[^"\r\n])+/g) ?? [];
  return found.filter((record) => record.trim() !== '');
}

function showBar() {
  const share = rows.length === 0 ? 1 : progress.done / rows.length;
  const bar = '#'.repeat(Math.round(share * 40)).padEnd(40, '.');
  process.stderr.write(`\r[${bar}] ${progress.done}/${rows.length}`);
}
