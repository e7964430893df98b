import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseNow } from '../database/clock.js';
import { DatabaseService } from '../database/database.service.js';
import type { Maintenance } from './maintenance.js';
import { ensurePartitions } from './partitions.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const AGAIN_MS = 10 * 60 * 1_000;
/** The first events should find their partition; but nobody waits long for it. */
const START_MS = 2_000;

/**
 * Looks after the tables of the trail, at the start and once a day: partitions are made ahead. What fails is logged, and done ten minutes later.
 */
@Injectable()
export class TrailCare implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('TrailCare');
  private readonly stopping = new AbortController();
  private readonly maintenance: Maintenance;
  private running: Promise<boolean> = Promise.resolve(true);
  private timer: NodeJS.Timeout | undefined;

  constructor(database: DatabaseService) {
    this.maintenance = { database, signal: this.stopping.signal };
  }

  /** Partitions, before the first event; later ones than {@link START_MS} are made while requests are served. */
  async onModuleInit(): Promise<void> {
    this.running = this.attempt(() => this.makePartitions());
    await Promise.race([this.running, delay(START_MS, undefined, { ref: false })]);
  }

  /** From now on once a day. */
  onApplicationBootstrap(): void {
    void this.care();
  }

  /** Ends what is being done, between two statements or in the middle of a long one. */
  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.timer);
    this.stopping.abort();
    await this.running;
  }

  private async care(): Promise<void> {
    const before = this.running;
    this.running = before.then(() => this.attempt(() => this.makePartitions()));
    const isDone = await this.running;
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => void this.care(), isDone ? DAY_MS : AGAIN_MS).unref();
  }

  private async makePartitions(): Promise<void> {
    const made = await ensurePartitions(this.maintenance, await this.now());
    if (made.length > 0) this.logger.log(`partitions of the trail made: ${made.join(', ')}`);
  }

  private now(): Promise<Date> {
    return this.maintenance.database.system(databaseNow);
  }

  /** Whether it was done; never fails. */
  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      const { message } = error as Error;
      this.logger.error(`the tables of the trail could not be looked after: ${message}`);
      return false;
    }
  }
}
