import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { CONFIG, type Config } from '../config.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { signerOf } from './checkpoint.js';
import { Checkpoints } from './checkpoints.js';
import type { Maintenance } from './maintenance.js';
import { ensurePartitions } from './partitions.js';
import { dropArchived, retire } from './retention.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const AGAIN_MS = 10 * 60 * 1_000;
/** The first events should find their partition; but nobody waits long for it. */
const START_MS = 2_000;

/**
 * Looks after the tables of the trail, at the start and once a day: partitions are made ahead, and what is older than
 * `AUDIT_RETENTION_MONTHS` is taken off. What fails is logged, and done ten minutes later.
 */
@Injectable()
export class TrailCare implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('TrailCare');
  private readonly stopping = new AbortController();
  private readonly maintenance: Maintenance;
  private running: Promise<boolean> = Promise.resolve(true);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    database: DatabaseService,
    private readonly instance: Instance,
    private readonly secret: InstanceSecret,
    private readonly checkpoints: Checkpoints,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.maintenance = { database, signal: this.stopping.signal };
  }

  /** Partitions, before the first event; later ones than {@link START_MS} are made while requests are served. */
  async onModuleInit(): Promise<void> {
    this.running = this.attempt(() => this.makePartitions());
    await Promise.race([this.running, delay(START_MS, undefined, { ref: false })]);
  }

  /** Only now it is known that the database was not set back. */
  onApplicationBootstrap(): void {
    void this.care(this.running);
  }

  /** Ends what is being done, between two statements or in the middle of a long one. */
  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.timer);
    this.stopping.abort();
    await this.running;
  }

  /** `partitions`: whether they have only just been made. */
  private async care(partitions = Promise.resolve(false)): Promise<void> {
    this.running = partitions.then((areMade) => this.attempt(() => this.careNow(areMade)));
    const isDone = await this.running;
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => void this.care(), isDone ? DAY_MS : AGAIN_MS).unref();
  }

  private async careNow(arePartitionsMade: boolean): Promise<void> {
    if (!arePartitionsMade) await this.makePartitions();
    await this.retire();
  }

  private async makePartitions(): Promise<void> {
    const made = await ensurePartitions(this.maintenance, await this.now());
    if (made.length > 0) this.logger.log(`partitions of the trail made: ${made.join(', ')}`);
  }

  private async retire(): Promise<void> {
    const months = this.config.auditRetentionMonths;
    if (months === undefined) return;
    const now = await this.now();
    const signer = signerOf(this.secret);
    const retention = { ...this.maintenance, signer, instance: this.instance.uid, months };
    const { partitions, tombstones, kept } = await retire(retention, now);
    if (kept !== undefined) this.logger.warn(`kept beyond AUDIT_RETENTION_MONTHS: ${kept}`);
    if (partitions.length > 0) this.logger.log(`retired of the trail: ${partitions.join(', ')}`);
    await this.checkpoints.publish(tombstones);
    const dropped = await dropArchived(this.maintenance, now);
    if (dropped.length > 0) this.logger.log(`dropped for good: ${dropped.join(', ')}`);
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
