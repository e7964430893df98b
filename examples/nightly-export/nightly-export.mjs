#!/usr/bin/env node
// Appends what has happened since the last run to a file of audit events, and warns when its own key nears its end.
// The file itself remembers where to go on: every row carries its cursor.
import { createWriteStream } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { CLAVIGER_URL = 'http://localhost:3000', CLAVIGER_TOKEN } = process.env;
const file = process.argv[2] ?? 'audit-events.ndjson';
const WARN_DAYS = 14;
const ATTEMPTS = 6;

if (!CLAVIGER_TOKEN) {
  console.error(
    'Usage: CLAVIGER_TOKEN=… [CLAVIGER_URL=…] nightly-export.mjs [audit-events.ndjson]',
  );
  process.exit(2);
}

const me = await (await call('/v1/me')).json();
const before = await lastEvent();
for (let attempt = 1; ; attempt += 1) {
  try {
    await download();
    break;
  } catch (error) {
    // Cut off in the middle: what arrived stays, the rest comes now.
    if (error.fatal || attempt === ATTEMPTS) throw error;
    await sleep(500 * 2 ** attempt);
  }
}
// The chain has every number from 1 on.
const newEvents = (await lastEvent()).sequence - before.sequence;
console.log(JSON.stringify({ account: me.name, file, newEvents }));
warnOfExpiry();

/** Appends everything after the last whole row of the file. */
async function download() {
  const { cursor: after } = await lastEvent();
  const query = new URLSearchParams({
    format: 'ndjson',
    cursors: 'true',
    sort: 'occurredAt',
    ...(after && { after }),
  });
  const response = await call(
    `/v1/organizations/${me.organization.id}/audit-events/export?${query}`,
  );
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file, { flags: 'a' }));
}

/** The event in the last whole row; half a row, which a broken connection leaves, is cut off. */
async function lastEvent() {
  const handle = await open(file, 'a+');
  const { size } = await handle.stat();
  const start = Math.max(0, size - 262_144);
  const { buffer, bytesRead } = await handle.read(
    Buffer.alloc(size - start),
    0,
    size - start,
    start,
  );
  await handle.close();
  const tail = buffer.subarray(0, bytesRead);
  const end = tail.lastIndexOf('\n');
  if (start + end + 1 < size) await truncate(file, start + end + 1);
  const last = tail.subarray(0, end).toString('utf8').split('\n').at(-1);
  return last ? JSON.parse(last) : { sequence: 0 };
}

/** One request; waits and tries again while the server says that it is busy or that we are too fast. */
async function call(target) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(CLAVIGER_URL + target, {
      headers: { authorization: `Bearer ${CLAVIGER_TOKEN}` },
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

function warnOfExpiry() {
  if (me.key.expiresAt === null) return;
  const days = Math.floor((Date.parse(me.key.expiresAt) - Date.now()) / 86_400_000);
  if (days > WARN_DAYS) return;
  console.error(
    `WARNING: the key "${me.key.name}" (${me.key.obfuscatedToken}) ends in ${days} days, at ${me.key.expiresAt}.`,
  );
}
