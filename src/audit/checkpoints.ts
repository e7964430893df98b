import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { DatabaseService } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import {
  checkpointOf,
  CheckpointSigner,
  type Head,
  type SignedCheckpoint,
  signerOf,
} from './checkpoint.js';
import { appendSigned, checkpointFile } from './checkpoint-log.js';
import { insertCheckpoints } from './checkpoints.sql.js';
import { requireNotSetBack } from './set-back.js';
import type { SignedTombstone } from './tombstone.js';

/** A chain's checkpoint is at most so much behind its events, in time and in number. */
const EVERY_MS = 60_000;
const EVERY_EVENTS = 10_000;

/**
 * Signs where the chains stand, every minute and every 10,000 events while they grow and at shutdown, and puts that where
 * nobody who holds the database can reach all of it: into `DATA_DIR/checkpoints.log`, to standard output and into the database. With
 * one of them anybody can tell a chain that was put together anew, and this server a database that was set back.
 */
@Injectable()
export class Checkpoints implements OnModuleInit {
  private readonly logger = new Logger('Checkpoints');
  private readonly signer: CheckpointSigner;
  private readonly file: string | undefined;
  /** The latest places that have no checkpoint yet. */
  private heads = new Map<string, Head>();
  /** Where each of them was when its last checkpoint was made, or when this process first heard of it. */
  private readonly signed = new Map<string, bigint>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private hasComplained = false;
  private print: (line: string) => void = () => undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly secret: InstanceSecret,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.signer = signerOf(secret);
    this.file = checkpointFile(config);
  }

  /** Before anything is served: `SetBackError` when the database is older than what this server had written. */
  onModuleInit(): Promise<void> {
    return requireNotSetBack(this.database, this.instance, this.secret, this.config);
  }

  /** From now on each checkpoint is also handed to `print`, as a line of JSON. */
  printTo(print: (line: string) => void): void {
    this.print = print;
  }

  /** Notes where chains stand now. */
  note(heads: readonly Head[]): void {
    let isDue = false;
    for (const head of heads) {
      this.heads.set(head.chain, head);
      const before = this.signed.get(head.chain);
      if (before === undefined) this.signed.set(head.chain, head.sequence);
      else isDue ||= head.sequence - before >= EVERY_EVENTS;
    }
    if (isDue) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref();
  }

  /** Signs what has grown; never fails. What the database does not take now is outside it all the same. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return (this.flushing = this.flushing.then(() => this.write()));
  }

  private async write(): Promise<void> {
    const heads = [...this.heads.values()];
    this.heads = new Map();
    if (heads.length === 0) return;
    const at = new Date().toISOString();
    const signed = heads.map((head) => this.signer.sign(checkpointOf(this.instance.uid, head, at)));
    for (const head of heads) this.signed.set(head.chain, head.sequence);
    await this.publish(signed);
    await insertCheckpoints(this.database, signed).catch(() => undefined);
  }

  /** Puts what was signed outside the database: onto standard output and into the file. Never fails. */
  async publish(signed: readonly (SignedCheckpoint | SignedTombstone)[]): Promise<void> {
    for (const one of signed) this.print(`${JSON.stringify(one)}\n`);
    if (this.file === undefined || signed.length === 0) return;
    try {
      await appendSigned(this.file, signed);
      this.hasComplained = false;
    } catch (error) {
      if (this.hasComplained) return;
      this.hasComplained = true;
      const { message } = error as Error;
      this.logger.warn(
        `${this.file} cannot be written: a restored backup goes unnoticed. ${message}`,
      );
    }
  }
}
