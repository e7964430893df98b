import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileTooLarge, UPLOAD_LIMIT } from '../http/body-parser.js';
import { badRequest, Problem, unavailable } from '../http/problem.js';

/** A body that stops arriving for this long is given up. */
const IDLE_MS = 15_000;
const PIECE_BYTES = 65_536;

/** A received file, of which nothing is left when it is closed or the process ends, however it does. */
export interface Upload {
  /** From its beginning, as often as one likes. A piece is good until the next one is asked for. */
  read(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * Receives a body whole, into a temporary file (0600). The file has no name any more when the first byte is written, so
 * the system removes it in every case. Errors: 400 `incomplete_body` for a connection cut halfway, 408, 413 beyond 64 MiB,
 * 503 `storage_unavailable`.
 */
export async function receive(body: IncomingMessage): Promise<Upload> {
  const file = await unnamedFile();
  try {
    await fill(file, body);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    read: () => piecesOf(file),
    close: () => file.close(),
  };
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer, void> {
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function unnamedFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `claviger-import-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600).catch(unstorable);
  await unlink(path);
  return file;
}

async function fill(file: FileHandle, body: IncomingMessage): Promise<void> {
  const idle = new IdleTimer();
  // Not destroyed on return: the connection still has to carry the answer.
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  try {
    for (let size = 0; ;) {
      const { value } = await Promise.race([chunks.next(), idle.passed()]);
      if (value === undefined) return;
      size += value.length;
      if (size > UPLOAD_LIMIT) throw fileTooLarge();
      await file.write(value).catch(unstorable);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw badRequest('incomplete_body', 'The connection ended before the file did.');
  } finally {
    idle.stop();
  }
}

/** One timer for all waits of a body. */
class IdleTimer {
  private reject: (problem: Problem) => void = () => undefined;
  private readonly timer = setTimeout(() => this.reject(tooSlow()), IDLE_MS);

  /** Never resolves; rejects when the idle time has passed since this call. */
  passed(): Promise<never> {
    this.timer.refresh();
    return new Promise((_, reject) => (this.reject = reject));
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function tooSlow(): Problem {
  return new Problem(408, 'request_timeout', 'The request took too long to arrive.', {
    headers: { Connection: 'close' },
  });
}

function unstorable(): never {
  throw unavailable('storage_unavailable', 'The file cannot be stored now; try again.', 30);
}
