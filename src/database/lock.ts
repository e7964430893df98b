import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Another process uses the data directory; the message says which. */
export class DataDirLockedError extends Error {
  override readonly name = 'DataDirLockedError';
}

/** A lock that is held until it is released or its process ends. */
export interface DirectoryLock {
  release(): void;
}

interface LockRecord {
  /** Unique for every acquisition. */
  token: string;
  pid: number;
  hostname: string;
  /** Names the set of processes in which `pid` means something: kernel boot and pid namespace. */
  space: string | null;
  /** When the process began, in the kernel's ticks: tells a reused pid. */
  startTicks: string | null;
  startedAt: string;
}

/** How often the holder touches the lock, and for how long a stranger looks before calling it dead. */
const HEARTBEAT_MS = 2_000;
const OBSERVE_MS = 10_000;

/**
 * Takes the exclusive lock `directory`/lock, making the directory (0700) where there is none. A lock
 * whose process is dead is taken over. Where that cannot be told by process id (another host or
 * container, a system without /proc), the holder's heartbeat is watched for 10 s first.
 * Errors: {@link DataDirLockedError}.
 *
 * Two processes that take over one dead lock cannot both succeed: a successor's record is the file
 * `lock.<token of the dead one>`, made exclusively by a hard link, and counts only while the chain
 * from `lock` leads to it. The winner then moves its record to `lock` and clears the chain.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const mine = ownRecord();
  const path = join(directory, 'lock');
  const draft = join(directory, `lock.${mine.token}.new`);
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      if (tryLink(draft, path)) return hold(path, mine);
      const chain = readChain(directory);
      const last = chain.at(-1);
      if (last === undefined) continue; // released just now
      if (await isAlive(last.path, last.record)) throw locked(directory, last.record);
      const successor = join(directory, `lock.${last.record.token}`);
      if (!tryLink(draft, successor)) continue; // somebody else was first: look at them
      if (readChain(directory).at(-1)?.record.token !== mine.token) {
        unlinkSync(successor); // the lock changed hands between the look and the link
        continue;
      }
      renameSync(draft, path);
      for (const { record } of chain) removeFile(join(directory, `lock.${record.token}`));
      return hold(path, mine);
    }
  } finally {
    removeFile(draft);
  }
}

function hold(path: string, mine: LockRecord): DirectoryLock {
  const beat = setInterval(() => {
    try {
      const now = new Date();
      utimesSync(path, now, now);
    } catch {
      // Removed by hand: there is nothing left to keep alive, and the data is still ours to close.
    }
  }, HEARTBEAT_MS);
  beat.unref();
  return {
    release: () => {
      clearInterval(beat);
      if (readRecord(path)?.token === mine.token) removeFile(path);
    },
  };
}

function readChain(directory: string): { path: string; record: LockRecord }[] {
  const chain = [];
  let path = join(directory, 'lock');
  for (;;) {
    const record = readRecord(path);
    if (record === undefined) return chain;
    chain.push({ path, record });
    path = join(directory, `lock.${record.token}`);
  }
}

function readRecord(path: string): LockRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as LockRecord;
  } catch (cause) {
    throw new DataDirLockedError(`${path} is not a lock of this program; remove it if unused`, {
      cause,
    });
  }
}

function ownRecord(): LockRecord {
  return {
    token: randomUUID(),
    pid: process.pid,
    hostname: hostname(),
    space: processSpace(),
    startTicks: processStart(process.pid) ?? null,
    startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
  };
}

async function isAlive(path: string, record: LockRecord): Promise<boolean> {
  if (record.space !== null && record.space === processSpace() && record.startTicks !== null) {
    return processStart(record.pid) === record.startTicks;
  }
  if (record.space === null && record.hostname === hostname() && !processExists(record.pid)) {
    return false;
  }
  return heartbeatMoves(path);
}

/** Looks at changes only, so that clocks that differ do not matter. */
async function heartbeatMoves(path: string): Promise<boolean> {
  const first = modifiedAt(path);
  for (let waited = 0; waited < OBSERVE_MS; waited += 500) {
    await delay(500);
    const now = modifiedAt(path);
    if (now === undefined) return false; // released meanwhile; the caller looks again
    if (now !== first) return true;
  }
  return false;
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function processSpace(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null; // not Linux: pids are compared by host name
  }
}

/** Start of a living process in ticks since boot; undefined when there is none (or a zombie). */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold anything; the fields after it cannot.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function locked(directory: string, by: LockRecord): DataDirLockedError {
  return new DataDirLockedError(
    `${directory} is in use by process ${by.pid} on ${by.hostname} (started ${by.startedAt}). ` +
      'Stop it first, or give this one another DATA_DIR.',
  );
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
