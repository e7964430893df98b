import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Checkpoint, isSigned, type SignedCheckpoint } from '../audit/checkpoint.js';
import { readSigned } from '../audit/checkpoint-log.js';
import { type ExportVerification, verifyExport } from '../audit/verify-export.js';
import { isSignedTombstone, type SignedTombstone } from '../audit/tombstone.js';
import { CommandError } from './command-error.js';
import { opened } from './opened.js';

/** Options of `claviger verify`. */
export interface VerifyOptions {
  /** Files with checkpoints, among other lines or not. */
  checkpoints: string[];
  /** The only public key that may have signed them, in base64url. */
  key: string | undefined;
  /** RFC 3339: when the export was made. */
  exportedAt: string | undefined;
}

const CHUNK_BYTES = 1 << 20;
const BAR_WIDTH = 30;

/**
 * `claviger verify`: checks an export of the audit trail. Prints what it found; errors: {@link CommandError} when something is
 * wrong.
 */
export async function verifyCommand(file: string, options: VerifyOptions): Promise<void> {
  const { signed, tombstones, key } = await readAll(options);
  const exportedAt = timeOf(options.exportedAt);
  const size = (await opened(file, stat(file))).size;
  const chunks = createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
  const proof = {
    checkpoints: signed.map(({ checkpoint }) => checkpoint),
    tombstones: tombstones.map(({ tombstone }) => tombstone),
    ...(exportedAt === undefined ? {} : { exportedAt }),
  };
  const startedAt = performance.now();
  const bar = progressBar(size);
  const found = await opened(file, verifyExport(chunks, proof, bar.add)).finally(bar.end);
  const seconds = (performance.now() - startedAt) / 1_000;
  const fault = found.fault ?? (found.events === 0 ? 'there is no event in it' : undefined);
  if (fault !== undefined)
    throw new CommandError(`${file} is not what the server wrote: ${fault}.`);
  process.stdout.write(report(found, seconds, key));
}

async function readAll({ checkpoints: files, key: wanted }: VerifyOptions): Promise<{
  signed: SignedCheckpoint[];
  tombstones: SignedTombstone[];
  key: string | undefined;
}> {
  const signed: SignedCheckpoint[] = [];
  const tombstones: SignedTombstone[] = [];
  for (const file of files) {
    const before = signed.length + tombstones.length;
    await opened(file, collect(file, signed, tombstones));
    if (signed.length + tombstones.length === before) {
      throw new CommandError(`There is no checkpoint in ${file}.`);
    }
  }
  const key = wanted ?? signed[0]?.key ?? tombstones[0]?.key;
  for (const one of signed) {
    requireGenuine(`checkpoint ${placeOf(one.checkpoint)}`, one.key, key, isSigned(one));
  }
  for (const one of tombstones) {
    requireGenuine(`tombstone ${placeOf(one.tombstone)}`, one.key, key, isSignedTombstone(one));
  }
  return { signed: signed.sort(byTime), tombstones, key };
}

function requireGenuine(
  what: string,
  key: string,
  expected: string | undefined,
  isGenuine: boolean,
): void {
  if (key !== expected) {
    throw new CommandError(`The ${what} is signed with the key ${key}, and not with ${expected}.`);
  }
  if (!isGenuine) throw new CommandError(`The ${what} is forged: its signature is wrong.`);
}

async function collect(
  file: string,
  checkpoints: SignedCheckpoint[],
  tombstones: SignedTombstone[],
): Promise<void> {
  for await (const one of readSigned(file)) {
    if ('checkpoint' in one) checkpoints.push(one);
    else tombstones.push(one);
  }
}

/** Files may be of several processes; within one of them the order stays where times are equal. */
function byTime(a: SignedCheckpoint, b: SignedCheckpoint): number {
  return Date.parse(a.checkpoint.at) - Date.parse(b.checkpoint.at);
}

function placeOf({ chain, sequence }: Pick<Checkpoint, 'chain' | 'sequence'>): string {
  return `of event ${sequence} of ${chain}`;
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new CommandError('--exported-at must be a time like 2026-11-25T12:00:00Z.');
  }
  return time;
}

function report(found: ExportVerification, seconds: number, key: string | undefined): string {
  const { chain, events, first, last, vouched, checkpoints, setBacks, retired } = found;
  const rate = Math.round(events / seconds).toLocaleString('en');
  const lines = [
    `${chain}: events ${first} to ${last} are as they were written (${events.toLocaleString('en')}, ${rate} a second).`,
  ];
  if (retired !== undefined) {
    lines.push(
      `Retention took the events up to ${retired.sequence} off the trail at ${retired.at}: a tombstone says so, and this export goes on behind it.`,
    );
  } else if (first !== 1) {
    lines.push(`What came before event ${first} is not in this export.`);
  }
  for (const { at, sequence, setBackFrom } of setBacks) {
    lines.push(
      `At ${at} somebody accepted a restored backup: events ${sequence + 1} to ${setBackFrom} of before are lost.`,
    );
  }
  if (vouched === undefined) {
    lines.push(
      `No checkpoint vouches for ${retired === undefined ? 'it' : 'what is in it'}: whoever holds the database could have put it together anew.`,
    );
    if (retired !== undefined)
      lines.push(`The tombstone is signed with the key ${key}: see that it is your server's.`);
  } else {
    lines.push(
      `${checkpoints} ${checkpoints === 1 ? 'checkpoint fits' : 'checkpoints fit'}, the last at event ${vouched.sequence}, of ${vouched.at}.`,
      ...(vouched.sequence === last
        ? []
        : [`No checkpoint vouches for what came after event ${vouched.sequence}.`]),
      `They are signed with the key ${key}: see that it is your server's.`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Shows how far a file has been read, where somebody is looking. */
function progressBar(size: number): { add: (bytes: number) => void; end: () => void } {
  if (!process.stderr.isTTY) return { add: () => undefined, end: () => undefined };
  let done = 0;
  return {
    add: (bytes) => {
      done += bytes;
      const share = size === 0 ? 1 : Math.min(1, done / size);
      const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
      process.stderr.write(`\r${bar} ${String(Math.floor(share * 100)).padStart(3)} %`);
    },
    end: () => void process.stderr.write('\r\u001b[K'),
  };
}
