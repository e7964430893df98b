/**
 * The database cannot serve now: refused or lost connection, no free connection, time-out, server
 * shutting down, disk full, read-only, or the same conflict three times in a row. The work may be
 * tried again; whether it was committed is unknown when the connection went during COMMIT.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';

  constructor(reason: string, options?: ErrorOptions) {
    super(`the database cannot serve now: ${reason}`, options);
  }
}

/** The parts that errors of Prisma, `pg` and PGlite have, all of them optional. */
interface ErrorShape {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  constraint?: unknown;
  originalCode?: unknown;
  originalMessage?: unknown;
  kind?: unknown;
  cause?: unknown;
  meta?: { driverAdapterError?: unknown };
}

/** Five characters with a digit among them: EPIPE is none. */
const SQL_STATE = /^(?=.*\d)[0-9A-Z]{5}$/;
/** Prisma's own codes (P2002) look like SQLSTATEs; no SQLSTATE class of PostgreSQL begins so. */
const PRISMA_CODE = /^P[1-6]\d{3}$/;
const UNIQUE_VIOLATION = '23505';

/**
 * The error itself and what it was made from, outermost first. A failed host with two addresses
 * gives an AggregateError whose parts count too.
 */
function* layers(error: unknown): Generator<ErrorShape> {
  const waiting = [error];
  for (let seen = 0; waiting.length > 0 && seen < 16; seen++) {
    const layer = waiting.shift();
    if (typeof layer !== 'object' || layer === null) continue;
    const shape: ErrorShape = layer;
    yield shape;
    waiting.push(shape.meta?.driverAdapterError, shape.cause);
    if (layer instanceof AggregateError) waiting.push(...(layer.errors as unknown[]));
  }
}

/** The five-character SQLSTATE behind an error of Prisma, `pg` or PGlite, wrapped or not. */
export function sqlState(error: unknown): string | undefined {
  for (const layer of layers(error)) {
    for (const code of [layer.originalCode, layer.code]) {
      if (typeof code === 'string' && SQL_STATE.test(code) && !PRISMA_CODE.test(code)) return code;
    }
  }
  return undefined;
}

/**
 * Whether a unique constraint refused the row; with `constraint`, whether it was that constraint or
 * unique index.
 */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== UNIQUE_VIOLATION) return false;
  if (constraint === undefined) return true;
  for (const layer of layers(error)) {
    if (layer.constraint === constraint) return true;
    // The server quotes the name in every language; PGlite's adapter hands on nothing but the text.
    const text = layer.originalMessage ?? layer.message;
    if (typeof text === 'string' && text.includes(`"${constraint}"`)) return true;
  }
  return false;
}

/** Whether the same transaction may succeed when it is run again from its start. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return state === '40001' || state === '40P01';
  for (const layer of layers(error)) if (layer.code === 'P2034') return true;
  return false;
}

/**
 * SQLSTATEs of a server that cannot serve: connection exceptions, resources (disk full, too many
 * connections), shutdown and recovery, cancelled by a time-out, read-only, I/O error.
 */
const UNAVAILABLE_STATE = /^(08...|53...|57P0[1-5]|57014|25006|25P03|25P04|58030)$/;

/** Prisma's codes for an unreachable server, a full pool and a transaction that took too long. */
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);

const UNAVAILABLE_SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // the server's socket file is gone
  'ENOSPC',
  'EIO',
]);

const UNAVAILABLE_KIND = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);

/** What `pg` and PGlite say without any code. */
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|connection error and is not queryable|Client was closed|timeout expired|PGlite is clos(ed|ing)|Cannot use a pool after calling end/;

/** Whether the failure is the database's, not the statement's. */
export function isUnavailable(error: unknown): boolean {
  for (const layer of layers(error)) {
    if (layer instanceof DatabaseUnavailableError) return true;
    if (typeof layer.kind === 'string' && UNAVAILABLE_KIND.has(layer.kind)) return true;
    const text = typeof layer.message === 'string' ? layer.message : '';
    if (UNAVAILABLE_MESSAGE.test(text)) return true;
    for (const code of [layer.originalCode, layer.code]) {
      if (typeof code !== 'string') continue;
      if (UNAVAILABLE_SOCKET.has(code)) return true;
      if (PRISMA_CODE.test(code) ? UNAVAILABLE_PRISMA.has(code) : UNAVAILABLE_STATE.test(code))
        return true;
    }
  }
  return false;
}

/** The error as callers see it: {@link DatabaseUnavailableError} with its cause, or unchanged. */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError || !isUnavailable(error)) return error;
  return new DatabaseUnavailableError(sqlState(error) ?? 'connection lost or timed out', {
    cause: error,
  });
}
