import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Seals } from '../crypto/seal.js';
import { DatabaseService, type RawStatement } from '../database/database.service.js';
import type { Head } from './checkpoint.js';
import { Checkpoints } from './checkpoints.js';

/** How long events may stand at the end of a chain before the place is sealed. */
const SEAL_AFTER_MS = 1_000;
/** How often an instance looks for chains that another one has left unsealed. */
const SWEEP_MS = 20_000;
const MAX_CHAINS = 500;

const HEADS: RawStatement = {
  name: 'heads_to_seal',
  text: 'SELECT chain, sequence, hash FROM audit_heads WHERE chain = ANY($1::text[])',
};
const SEAL: RawStatement = {
  name: 'seal_heads',
  text: `INSERT INTO audit_seals (chain, sequence, seal)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) ON CONFLICT DO NOTHING`,
};

const UNSEALED: RawStatement = {
  name: 'unsealed_heads',
  text: `SELECT h.chain FROM audit_heads h
    WHERE h.sequence > 0 AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.chain = h.chain AND s.sequence = h.sequence)`,
};

/**
 * Seals the places that chains reach, a second behind the requests, so that nobody who holds only the
 * database can remove or reorder events and hash the chain anew: places without a seal would be
 * noticed (`checkSeals`). What a crash left unsealed is sealed by the next start, or within
 * {@link SWEEP_MS} by another instance.
 */
@Injectable()
export class HeadSeals implements OnApplicationBootstrap, OnModuleDestroy {
  private sweeper: NodeJS.Timeout | undefined;
  private chains = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: DatabaseService,
    private readonly seals: Seals,
    private readonly checkpoints: Checkpoints,
  ) {}

  /** Seals what a crash has left, before the first request, and from then on what others leave. */
  async onApplicationBootstrap(): Promise<void> {
    await this.sweep();
    this.sweeper = setInterval(() => void this.sweep(), SWEEP_MS).unref();
  }

  /** Stops looking for what others have left. */
  onModuleDestroy(): void {
    clearInterval(this.sweeper);
  }

  /** Notes that a chain has grown. */
  note(chain: string): void {
    this.chains.add(chain);
    this.timer ??= setTimeout(() => void this.flush(), SEAL_AFTER_MS).unref();
  }

  private async sweep(): Promise<void> {
    const heads = await this.database.raw<{ chain: string }>(UNSEALED, []).catch(() => []);
    for (const { chain } of heads) this.chains.add(chain);
    await this.flush();
  }

  /** Seals what has grown; never fails, what could not be sealed now is sealed by the next sweep. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return (this.flushing = this.flushing.then(() => this.write().catch(() => undefined)));
  }

  private async write(): Promise<void> {
    const chains = [...this.chains];
    this.chains = new Set();
    for (let start = 0; start < chains.length; start += MAX_CHAINS) {
      const heads = await this.database.raw<Head>(HEADS, [chains.slice(start, start + MAX_CHAINS)]);
      await this.database.raw(SEAL, [
        heads.map((head) => head.chain),
        heads.map((head) => head.sequence),
        heads.map((head) => this.seals.head(head.chain, head.sequence, head.hash)),
      ]);
      this.checkpoints.note(heads);
    }
  }
}
