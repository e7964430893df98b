import { hash } from 'node:crypto';
import type { AuditEvent } from './audit.dto.js';
import type { Checkpoint } from './checkpoint.js';
import { SYSTEM_CHAIN } from './event.js';
import type { Tombstone } from './tombstone.js';

/** What an export was found to be. */
export interface ExportVerification {
  /** Undefined when there is no event in it. */
  chain?: string;
  events: number;
  /** The lowest and the highest sequence in it. */
  first?: number;
  last?: number;
  /** The last event that a checkpoint vouches for. */
  vouched?: Checkpoint;
  /** How many checkpoints fit. */
  checkpoints: number;
  /** Where the chain was set back, as somebody has accepted at the time. */
  setBacks: Checkpoint[];
  /** The tombstone behind which it begins. */
  retired?: Tombstone;
  /** What is wrong, the first of it; undefined: nothing is. */
  fault?: string;
}

/** What an export is checked against. */
export interface ExportProof {
  /** Of any chain, in the order in which they were made, their signatures checked. */
  checkpoints: readonly Checkpoint[];
  /** Of any chain, their signatures checked. */
  tombstones?: readonly Tombstone[];
  /** Unix milliseconds of when the export was made, if known: what came later cannot be in it. */
  exportedAt?: number;
}

/** The first thing that is wrong, on the way out. */
class Fault extends Error {}

/**
 * Checks an export of a chain in NDJSON, oldest or newest first, without a server: every hash is computed again, every event must
 * follow the one before it, and where a checkpoint was made the chain must be what it says. An export that was filtered has gaps, so
 * it is a fault. Told of every chunk that has been checked: `onProgress(bytes)`.
 */
export async function verifyExport(
  chunks: AsyncIterable<Buffer>,
  { checkpoints, tombstones = [], exportedAt }: ExportProof,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<ExportVerification> {
  const walk = new Walk(checkpoints, tombstones);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of chunks) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(10) + 1;
      walk.lines(bytes.toString('utf8', 0, end));
      rest = bytes.subarray(end);
      onProgress(chunk.length);
    }
    walk.lines(rest.toString('utf8'));
    walk.finish(exportedAt);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...walk.found, fault: error.message };
  }
  return walk.found;
}

/** The state of one pass over an export. */
class Walk {
  readonly found: ExportVerification = { events: 0, checkpoints: 0, setBacks: [] };
  private line = 0;
  /** 1: oldest first; -1: newest first; 0: not known yet. */
  private direction = 0;
  private before: AuditEvent | undefined;
  private expected = new Map<number, Checkpoint>();
  /** By the last event that is gone. */
  private readonly cuts = new Map<number, Tombstone>();

  constructor(
    private readonly checkpoints: readonly Checkpoint[],
    private readonly tombstones: readonly Tombstone[],
  ) {}

  lines(text: string): void {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.line += 1;
      this.event(parseEvent(line, this.line));
    }
  }

  /** What only shows when all has been read. */
  finish(exportedAt = Infinity): void {
    const { first, last } = this.found;
    if (first === undefined || last === undefined) return;
    const retired = this.cuts.get(first - 1);
    if (retired !== undefined) this.found.retired = retired;
    const reached = [...this.expected.values()].filter(({ at }) => Date.parse(at) <= exportedAt);
    const beyond = reached.filter(({ sequence }) => sequence > last).at(-1);
    if (beyond === undefined) return;
    throw new Fault(
      `the export ends with event ${last}, but a checkpoint says that the chain had event ${beyond.sequence} at ${beyond.at}: the end was cut off, ` +
        'or the export is older (then say when it was made, with --exported-at)',
    );
  }

  private event(event: AuditEvent): void {
    const { found } = this;
    const chain = event.organizationId ?? SYSTEM_CHAIN;
    if (found.chain === undefined) this.begin(chain);
    if (chain !== found.chain) throw this.fault(event, `it belongs to another chain, ${chain}`);
    if (hashOf(event, chain) !== event.hash) {
      throw this.fault(event, 'its hash is not that of its content: it was changed');
    }
    this.follow(event);
    this.compare(event);
    if (this.cuts.size > 0) this.compareCut(event);
    found.events += 1;
    found.first = Math.min(found.first ?? event.sequence, event.sequence);
    found.last = Math.max(found.last ?? event.sequence, event.sequence);
    this.before = event;
  }

  private begin(chain: string): void {
    this.found.chain = chain;
    for (const checkpoint of this.checkpoints.filter((one) => one.chain === chain)) {
      const { sequence, setBackFrom } = checkpoint;
      if (setBackFrom !== undefined) {
        for (const place of this.expected.keys()) {
          if (place > sequence) this.expected.delete(place);
        }
        this.found.setBacks.push(checkpoint);
      }
      // Event 0 is the beginning, before there was any.
      if (sequence > 0) this.expected.set(sequence, checkpoint);
    }
    for (const tombstone of this.tombstones.filter((one) => one.chain === chain)) {
      const isLost = this.found.setBacks.some(
        ({ sequence, at }) =>
          sequence < tombstone.sequence && Date.parse(at) > Date.parse(tombstone.at),
      );
      if (!isLost) this.cuts.set(tombstone.sequence, tombstone);
    }
  }

  private follow(event: AuditEvent): void {
    const { before } = this;
    if (before === undefined) return;
    const step = event.sequence - before.sequence;
    this.direction ||= Math.sign(step);
    if (step !== this.direction || step === 0) throw this.fault(event, gap(before));
    const [older, newer] = step > 0 ? [before, event] : [event, before];
    if (newer.previousHash !== older.hash) {
      throw this.fault(
        event,
        `it does not follow event ${before.sequence}: one of them was changed`,
      );
    }
  }

  private compare(event: AuditEvent): void {
    const checkpoint = this.expected.get(event.sequence);
    if (checkpoint === undefined) return;
    if (checkpoint.hash !== event.hash) {
      const detail = `the checkpoint of ${checkpoint.at} saw another event here`;
      throw this.fault(event, `${detail}: the chain up to here was put together anew`);
    }
    const { found } = this;
    found.checkpoints += 1;
    if (checkpoint.sequence > (found.vouched?.sequence ?? 0)) found.vouched = checkpoint;
  }

  /** Where retention has cut, the chain goes on as it was. */
  private compareCut(event: AuditEvent): void {
    this.requireCut(event, event.sequence, event.hash);
    this.requireCut(event, event.sequence - 1, event.previousHash);
  }

  private requireCut(event: AuditEvent, sequence: number, hash: string): void {
    const tombstone = this.cuts.get(sequence);
    if (tombstone === undefined || tombstone.hash === hash) return;
    throw this.fault(event, `the tombstone of ${tombstone.at} saw another event ${sequence}`);
  }

  private fault(event: AuditEvent, text: string): Fault {
    return new Fault(`event ${event.sequence} (line ${this.line}): ${text}`);
  }
}

function gap(before: AuditEvent): string {
  return `it comes after event ${before.sequence}: events are missing, doubled or out of order (a filtered export cannot be verified)`;
}

function parseEvent(line: string, number: number): AuditEvent {
  try {
    const event = JSON.parse(line) as AuditEvent | null;
    if (Number.isSafeInteger(event?.sequence) && typeof event?.hash === 'string') return event;
  } catch {
    // Said below.
  }
  throw new Fault(`line ${number} is no event of the audit trail in JSON`);
}

/** What `eventHash` computes of the event as it is stored. */
function hashOf(event: AuditEvent, chain: string): string {
  const text = `${chain}\0${JSON.stringify(bodyOf(event))}`;
  const bytes = Buffer.allocUnsafe(48 + Buffer.byteLength(text));
  bytes.fill(0, 0, 48);
  bytes.write(String(event.previousHash), 0, 32, 'hex');
  bytes.writeBigInt64BE(BigInt(event.sequence), 32);
  bytes.writeBigInt64BE(BigInt(Date.parse(event.occurredAt) || 0), 40);
  bytes.write(text, 48, 'utf8');
  return hash('sha256', bytes, 'hex');
}

/** The event as it is stored: the members in the order in which they were written, `details` only where there are any. */
function bodyOf(event: AuditEvent): object {
  return {
    action: event.action,
    outcome: event.outcome,
    organizationId: event.organizationId,
    actor: event.actor,
    key: event.key,
    targets: event.targets,
    permission: event.permission,
    method: event.method,
    route: event.route,
    path: event.path,
    status: event.status,
    reason: event.reason,
    ip: event.ip,
    userAgent: event.userAgent,
    requestId: event.requestId,
    changes: event.changes,
    ...(event.details === null ? undefined : { details: event.details }),
  };
}
