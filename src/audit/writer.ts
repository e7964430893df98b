import type { PendingEvent, RawConnection, RawStatement } from '../database/database.service.js';
import { sqlState } from '../database/errors.js';

/** An event on its way to the trail, and what must hold when it gets there. */
export interface GateEvent extends PendingEvent {
  /** See `Seals.event`. */
  seal: string;
  /** The auth_epoch that the answer rests on; null: append unconditionally. */
  epoch: number | null;
  /** Unix milliseconds after which the answer may not leave; null: no end. */
  notAfter: number | null;
}

/** `stale`: what the answer rests on has changed; decide again. */
export type AppendResult = 'appended' | 'stale';

/** The trail cannot be written now: nothing may leave the server. */
export class AuditUnavailableError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`the audit trail cannot be written: ${reason}`, options);
    this.name = 'AuditUnavailableError';
  }
}

/** Told of every batch; the metrics listen. */
export interface WriterObserver {
  batch(size: number): void;
}

/** Where a writer gets its connections. */
export type Connect = () => Promise<RawConnection>;

interface Waiting {
  event: GateEvent;
  resolve: (result: AppendResult) => void;
  reject: (error: Error) => void;
  since: number;
}

const MAX_BATCH = 256;
const MAX_QUEUE = 10_000;
/** How long one chain with a held head may keep the blocking connection before the next one's turn. */
const TURN_MS = 10;
/** How long an event waits for a held head in all. */
const PATIENCE_MS = 3_000;

const PARAMETERS = '$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11';
/** What {@link columnsOf} makes. */
const ARRAYS = [
  'text',
  'text',
  'text',
  'int8',
  'int8',
  'text',
  'text',
  'text',
  'text',
  'text',
  'text',
] as const;
const APPEND: RawStatement = {
  name: 'audit_append',
  arrays: ARRAYS,
  text: `SELECT audit_append(${PARAMETERS},false,false) AS codes`,
};
const APPEND_WAITING: RawStatement = {
  name: 'audit_append_waiting',
  arrays: ARRAYS,
  text: `WITH turn AS MATERIALIZED (SELECT set_config('lock_timeout', '${TURN_MS}ms', true) AS timeout)
    SELECT audit_append(${PARAMETERS},true,false) AS codes FROM turn WHERE turn.timeout IS NOT NULL`,
};

const LOCK_NOT_AVAILABLE = '55P03';
const CODES = ['appended', 'stale', 'busy', 'missing'] as const;

/**
 * The one writer of a process: commits everything that waits as one batch, while the next batch
 * forms. Events whose chain's head another transaction holds go through a second connection, a turn
 * of 10 ms a chain, so that nobody waits for somebody else's transaction. A batch whose commit is in
 * doubt is never sent again.
 */
export class AuditWriter {
  private queue: Waiting[] = [];
  private readonly busy = new Map<string, Waiting[]>();
  /** The chain whose turn it is on the second connection. */
  private turn: string | undefined;
  private pumping: Promise<void> | undefined;
  private unblocking: Promise<void> | undefined;
  private readonly main: Line;
  private readonly blocking: Line;

  constructor(
    connect: Connect,
    private readonly observer: WriterObserver,
  ) {
    this.main = new Line(connect);
    this.blocking = new Line(connect);
  }

  /** Events that wait for their commit. */
  get depth(): number {
    let depth = this.queue.length;
    for (const waiting of this.busy.values()) depth += waiting.length;
    return depth;
  }

  /** Appends one event; resolves after its commit. Errors: {@link AuditUnavailableError}. */
  append(event: GateEvent): Promise<AppendResult> {
    if (this.depth >= MAX_QUEUE) {
      return Promise.reject(new AuditUnavailableError('too many events wait'));
    }
    return new Promise((resolve, reject) => {
      const waiting = { event, resolve, reject, since: performance.now() };
      // Where others of its chain wait already, it would only be told so, and come back.
      if (this.turn === event.chain || this.busy.has(event.chain)) return this.yieldTo(waiting);
      this.queue.push(waiting);
      this.pumping ??= this.pump();
    });
  }

  /** Waits until everything has been written or refused, then closes both connections. */
  async close(): Promise<void> {
    while (this.pumping ?? this.unblocking) await (this.pumping ?? this.unblocking);
    await Promise.all([this.main.close(), this.blocking.close()]);
  }

  private async pump(): Promise<void> {
    // One turn of the event loop lets all requests that are ready now share the batch.
    await new Promise(setImmediate);
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0, MAX_BATCH);
      this.observer.batch(batch.length);
      const error = await this.write(batch);
      if (error !== undefined) {
        // The database is away: whoever waits behind this batch must not wait for a time-out too.
        for (const waiting of this.queue.splice(0)) waiting.reject(error);
      }
    }
    // In the same turn as the last look at the queue, so that no event is left without a pump.
    this.pumping = undefined;
  }

  /** Writes a batch and settles its events; answers the error that concerns everybody, if any. */
  private async write(batch: Waiting[]): Promise<AuditUnavailableError | undefined> {
    try {
      settle(batch, await this.main.append(APPEND, batch), (waiting) => this.yieldTo(waiting));
      return undefined;
    } catch (error) {
      if (!isContentFault(error)) return refuse(batch, error);
      if (batch.length === 1) {
        refuse(batch, error);
        return undefined;
      }
      // Halve until the culprit is alone; the failed statement has written nothing.
      const half = batch.length >> 1;
      return (await this.write(batch.slice(0, half))) ?? (await this.write(batch.slice(half)));
    }
  }

  private yieldTo(waiting: Waiting): void {
    const { chain } = waiting.event;
    const others = this.busy.get(chain);
    if (others === undefined) this.busy.set(chain, [waiting]);
    else others.push(waiting);
    this.unblocking ??= this.unblock();
  }

  private async unblock(): Promise<void> {
    for (;;) {
      const next = this.busy.entries().next();
      if (next.done) {
        this.unblocking = undefined;
        return;
      }
      const [chain, waiting] = next.value;
      this.busy.delete(chain);
      this.turn = chain;
      const inTime = this.refuseLate(waiting);
      if (inTime.length > 0) await this.takeTurn(chain, inTime);
      this.turn = undefined;
    }
  }

  /** One try at a chain; who does not fit into it, or meets a head that is still held, waits on. */
  private async takeTurn(chain: string, waiting: Waiting[]): Promise<void> {
    const batch = waiting.slice(0, MAX_BATCH);
    const rest = waiting.slice(MAX_BATCH);
    try {
      settle(batch, await this.blocking.append(APPEND_WAITING, batch), (one) => rest.push(one));
    } catch (error) {
      if (sqlState(error) === LOCK_NOT_AVAILABLE) {
        rest.unshift(...batch);
      } else if (isContentFault(error)) {
        // Halve until the culprit is alone.
        if (batch.length === 1) refuse(batch, error);
        else await this.takeTurn(chain, batch.slice(0, batch.length >> 1));
        rest.unshift(...batch.slice(batch.length === 1 ? 1 : batch.length >> 1));
      } else {
        // The database is away: all others would only meet the same time-out, one after the other.
        const everybody = [...batch, ...rest, ...[...this.busy.values()].flat()];
        this.busy.clear();
        refuse(everybody, error);
        return;
      }
    }
    if (rest.length > 0) this.busy.set(chain, [...rest, ...(this.busy.get(chain) ?? [])]);
  }

  /** Refuses those who have waited long enough; answers the others. */
  private refuseLate(waiting: Waiting[]): Waiting[] {
    const deadline = performance.now() - PATIENCE_MS;
    return waiting.filter((one) => {
      if (one.since >= deadline) return true;
      one.reject(new AuditUnavailableError('the chain is busy'));
      return false;
    });
  }
}

/** One connection, opened when needed and thrown away when it fails. */
class Line {
  private connection: RawConnection | undefined;

  constructor(private readonly connect: Connect) {}

  async append(statement: RawStatement, batch: Waiting[]): Promise<number[]> {
    // Cut while it was idle: nothing has been sent on it, so a new one is no second try.
    if (this.connection?.isLost()) await this.close();
    this.connection ??= await this.connect();
    try {
      const [row] = await this.connection.query<{ codes: number[] }>(statement, columnsOf(batch));
      if (row === undefined) throw new Error('audit_append answered nothing');
      return row.codes;
    } catch (error) {
      if (!isContentFault(error) && sqlState(error) !== LOCK_NOT_AVAILABLE) await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    await connection?.close();
  }
}

/** The arrays of `audit_append`, events of one chain side by side. Sorts the batch in place. */
function columnsOf(batch: Waiting[]): unknown[] {
  batch.sort((a, b) =>
    a.event.chain < b.event.chain ? -1 : a.event.chain > b.event.chain ? 1 : 0,
  );
  const events = batch.map((waiting) => waiting.event);
  return [
    events.map((event) => event.chain),
    events.map((event) => event.body),
    events.map((event) => event.seal),
    events.map((event) => event.epoch),
    events.map((event) => event.notAfter),
    events.map((event) => event.action),
    events.map((event) => event.outcome),
    events.map((event) => event.actorId),
    events.map((event) => event.keyId),
    events.map((event) => event.targetId),
    events.map((event) => event.requestId),
  ];
}

function settle(batch: Waiting[], codes: number[], onBusy: (waiting: Waiting) => void): void {
  batch.forEach((waiting, index) => {
    const code = CODES[codes[index] ?? 3];
    if (code === 'appended' || code === 'stale') waiting.resolve(code);
    else if (code === 'busy') onBusy(waiting);
    else waiting.reject(new AuditUnavailableError(`there is no chain ${waiting.event.chain}`));
  });
}

function refuse(batch: Waiting[], cause: unknown): AuditUnavailableError {
  const error =
    cause instanceof AuditUnavailableError
      ? cause
      : new AuditUnavailableError('the database did not take it', { cause });
  for (const waiting of batch) waiting.reject(error);
  return error;
}

/** SQLSTATE classes of data, constraint and limit faults: the fault of one event, not of the database. */
function isContentFault(error: unknown): boolean {
  return /^(?:21|22|23|54)/.test(sqlState(error) ?? '');
}
