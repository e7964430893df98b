import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Gauge } from 'prom-client';
import { record } from '../audit/record.js';
import { SYSTEM_ACTOR } from '../auth/actor.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { Metrics } from '../http/metrics.js';
import {
  changePepper,
  countUnderPepper,
  readVersions,
  resealSigningKeys,
  type UnderPepper,
} from './pepper.sql.js';

const EVERY_MS = 60 * 60_000;

const BOTH = 'tokens are accepted under PEPPER and PEPPER_PREVIOUS; this server replaces neither';
const DONE = 'nothing is left under PEPPER_PREVIOUS: it can be removed';

/** What a look has found. */
interface Finding {
  text: string;
  isWarning?: boolean;
  left?: UnderPepper;
}

/** How a log line calls what is counted. */
const NAMES: Record<keyof UnderPepper, string> = {
  keys: 'keys',
  sessions: 'sessions',
  invitations: 'invitations',
  passwordResets: 'password resets',
  setupTokens: 'set-up tokens',
  signingKeys: 'signing keys',
};

/**
 * Replaces the pepper (`PEPPER` is new, `PEPPER_PREVIOUS` the database's own): before anything is served, in one transaction, on the
 * trail. From then on tokens move to it when they are used (`auth/credentials.ts`), and this says, at the start and every hour, how many
 * have not.
 */
@Injectable()
export class PepperRotation implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('PepperRotation');
  private readonly left: Gauge<'kind'>;
  private running: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private said = '';

  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    { registry }: Metrics,
  ) {
    this.left = new Gauge({
      name: 'claviger_previous_pepper_count',
      help: 'What works under PEPPER_PREVIOUS alone, by kind; when all are 0 it can be removed.',
      labelNames: ['kind'],
      aggregator: 'max',
      registers: [registry],
    });
  }

  /** Errors: those of the database; `InstanceMismatchError`. */
  async onModuleInit(): Promise<void> {
    const { pepper, isPepperNew } = this.instance;
    if (!isPepperNew) return;
    const isChanged = await this.database.system(async (tx) => {
      if (!(await changePepper(tx, this.instance))) return false;
      await resealSigningKeys(tx, pepper);
      const details = { version: pepper.version, previousVersion: pepper.previous?.version };
      const change = { organizationId: null, targets: [], details };
      record(tx, SYSTEM_ACTOR, 'instance.pepper_rotated', change);
      return true;
    });
    if (isChanged) this.logger.log(`the pepper is replaced, by version ${pepper.version}`);
  }

  /** Looks what is left; again every hour while there is a previous pepper. */
  async onApplicationBootstrap(): Promise<void> {
    await this.look();
    if (this.instance.pepper.previous === undefined) return;
    this.timer = setInterval(() => void this.look(), EVERY_MS).unref();
  }

  /** Waits for the look that may be under way. */
  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Looks how much is left under the previous pepper, and seals anew what can be. Never fails. */
  look(): Promise<void> {
    return (this.running = this.running.then(() => this.lookNow()));
  }

  private async lookNow(): Promise<void> {
    try {
      const { text, isWarning, left } = await this.database.system((tx) => this.find(tx));
      if (left !== undefined) this.show(left);
      if (text === this.said) return;
      this.said = text;
      if (isWarning) this.logger.warn(text);
      else if (text !== '') this.logger.log(text);
    } catch (error) {
      const { message } = error as Error;
      this.logger.warn(`what is left under another pepper could not be counted: ${message}`);
    }
  }

  private show(left: UnderPepper): void {
    for (const [kind, count] of Object.entries<number>({ ...left })) this.left.set({ kind }, count);
  }

  /** What is to be said, and of what. */
  private async find(tx: Tx): Promise<Finding> {
    const { pepper } = this.instance;
    const versions = await readVersions(tx);
    if (pepper.previous === undefined) {
      if (versions.previous === null) return { text: '' };
      const left = await countUnderPepper(tx, versions.previous);
      return isNothing(left) ? { text: '' } : { text: refused(left), isWarning: true };
    }
    // Not, or not yet, this server's own: it goes on with both.
    if (versions.own !== pepper.version || versions.previous !== pepper.previous.version) {
      return { text: BOTH };
    }
    await resealSigningKeys(tx, pepper);
    const left = await countUnderPepper(tx, pepper.previous.version);
    return { text: isNothing(left) ? DONE : remaining(left), left };
  }
}

function isNothing(left: UnderPepper): boolean {
  return Object.values(left).every((count) => count === 0);
}

function remaining(left: UnderPepper): string {
  return `still under PEPPER_PREVIOUS: ${describe(left)}; what is used moves to PEPPER`;
}

function refused(left: UnderPepper): string {
  return `refused, because PEPPER_PREVIOUS is not set: ${describe(left)}`;
}

function describe(left: UnderPepper): string {
  return Object.entries(left)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${NAMES[kind as keyof UnderPepper]}`)
    .join(', ');
}
