import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Counter } from 'prom-client';
import { DatabaseService } from '../database/database.service.js';
import { Metrics } from '../http/metrics.js';
import { EXPIRING, type Expiring, sweepStatement } from './expiring.js';

/** About every hour: between three quarters and five, so that instances that were started together do not stay so. */
const EVERY_MS = 60 * 60_000;
const JITTER = 0.25;
/** SQL on the embedded database runs on the main thread, and its transactions queue: nobody waits for long behind so few rows. */
const BATCH = 500;

/** How a sweep ended; `elsewhere`: another instance is at it. */
const OUTCOMES = ['done', 'failed', 'elsewhere'] as const;
type Outcome = (typeof OUTCOMES)[number];

/**
 * Takes away what has expired and is kept for nothing ({@link EXPIRING}), at the start and about every hour, one instance at a time:
 * each batch is a transaction of its own that holds an advisory lock, which is only tried. What fails is logged, and tried again the
 * next time.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Sweeper');
  private readonly rows: Counter<'table'>;
  private readonly sweeps: Counter<'outcome'>;
  private running: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(
    private readonly database: DatabaseService,
    { registry }: Metrics,
  ) {
    this.rows = new Counter({
      name: 'claviger_swept_rows_total',
      help: 'Rows taken away because they had expired, by table.',
      labelNames: ['table'],
      registers: [registry],
    });
    this.sweeps = new Counter({
      name: 'claviger_sweeps_total',
      help: 'Sweeps by outcome: done, failed, or elsewhere (another instance was at it).',
      labelNames: ['outcome'],
      registers: [registry],
    });
    // There from the first scrape: a rate needs a zero to start from.
    for (const { table } of EXPIRING) this.rows.inc({ table }, 0);
    for (const outcome of OUTCOMES) this.sweeps.inc({ outcome }, 0);
  }

  /** The first sweep; nobody waits for it. */
  onApplicationBootstrap(): void {
    void this.sweepAndGoOn();
  }

  /** Ends a sweep behind the batch that it is at. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One sweep, after the one that may be running. Never fails; answers how it ended. */
  sweep(): Promise<Outcome> {
    const swept = this.running.then(() => this.sweepNow());
    this.running = swept;
    return swept;
  }

  private async sweepAndGoOn(): Promise<void> {
    await this.sweep();
    if (this.isStopping) return;
    const wait = EVERY_MS * (1 + JITTER * (2 * Math.random() - 1));
    this.timer = setTimeout(() => void this.sweepAndGoOn(), wait).unref();
  }

  private async sweepNow(): Promise<Outcome> {
    const gone: string[] = [];
    let outcome: Outcome = 'done';
    for (const expiring of EXPIRING) {
      const { table } = expiring;
      try {
        const { count, isElsewhere } = await this.sweepTable(expiring);
        if (count > 0) gone.push(`${count} ${table}`);
        if (!isElsewhere) continue;
        if (outcome === 'done') outcome = 'elsewhere';
        break;
      } catch (error) {
        outcome = 'failed';
        this.logger.warn(`${table} could not be swept: ${(error as Error).message}`);
      }
    }
    this.sweeps.inc({ outcome });
    if (gone.length > 0) this.logger.log(`expired, and taken away: ${gone.join(', ')}`);
    return outcome;
  }

  private async sweepTable(expiring: Expiring): Promise<{ count: number; isElsewhere: boolean }> {
    let count = 0;
    while (!this.isStopping) {
      const deleted = await this.sweepBatch(expiring);
      if (deleted === undefined) return { count, isElsewhere: true };
      count += deleted;
      this.rows.inc({ table: expiring.table }, deleted);
      if (deleted < BATCH) break;
    }
    return { count, isElsewhere: false };
  }

  /** Undefined: another instance is at it. The lock goes with the transaction, by PgBouncer's rules too. */
  private sweepBatch(expiring: Expiring): Promise<number | undefined> {
    return this.database.system(async (tx) => {
      const [row] = await tx.$queryRaw<{ taken: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(hashtextextended('claviger:sweep', 0)) AS taken`;
      return row?.taken === true
        ? tx.$executeRawUnsafe(sweepStatement(expiring, BATCH))
        : undefined;
    });
  }
}
