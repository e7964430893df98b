import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../config.js';
import type { Measured } from '../http/metrics.js';
import { CounterInMemory, type CountsRequests } from '../limits/counts.js';
import { WINDOW_SECONDS } from '../limits/rate-limit.js';
import { createLogger, type Logger } from '../logging.js';
import { type Listening, welcome } from '../welcome.js';
import { Peer, ROLE_VARIABLE } from './peer.js';

/** A worker that is stopping ends itself after 9.5 seconds; whatever outlives that is killed. */
const STOP_WITHIN_MS = 9_800;
/** How long a scrape waits for a worker; one that is silent is left out. */
const MEASURE_PATIENCE_MS = 1_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A worker that has served for so long dies for a new reason. */
const FORGET_DEATHS_MS = 60_000;

/** How long to wait before a worker is replaced that has died so many times in a row (at least 1), in milliseconds; pure. */
export function replacementDelay(deaths: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (deaths - 1));
}

/**
 * Runs `config.workers` processes behind one port, and prints once that they are ready. The first one has the first start to
 * itself. A worker that dies later is replaced. SIGTERM and SIGINT stop all of them, and then this process. When one cannot
 * start at first, it has said why, and all end with 1.
 */
export async function runWorkers(config: Config): Promise<void> {
  const workers = new Workers(createLogger(config));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => workers.stop());
  }
  const listening = await workers.start('first');
  const others = Array.from({ length: config.workers - 1 }, () => workers.start('next'));
  await Promise.all(others);
  workers.replaceTheDead();
  // For people, and with a one-time token in it: standard output only, never the logger.
  process.stdout.write(welcome(config, listening));
}

/** How often in a row the workers in one place have died. */
interface Place {
  deaths: number;
}

class Workers {
  /** All that have been started and have not ended. */
  private readonly running = new Set<Worker>();
  /** Those of them that listen. */
  private readonly listening = new Map<Worker, Peer>();
  private readonly counter: CountsRequests = new CounterInMemory(WINDOW_SECONDS);
  private isReplacing = false;
  private isStopping = false;
  private exitCode = 0;

  constructor(private readonly logger: Logger) {}

  /** Starts a worker, unless all are to stop; answers when it listens, and never when it does not get there. */
  start(role: 'first' | 'next', place: Place = { deaths: 0 }): Promise<Listening> {
    if (this.isStopping) return new Promise(() => undefined);
    const worker = cluster.fork({ [ROLE_VARIABLE]: role });
    this.running.add(worker);
    const peer = new Peer((message, failed) => {
      worker.send(message, (error: Error | null) => error !== null && failed(error));
    });
    worker.on('message', (message: unknown) => peer.receive(message));
    // A message to a worker that has just died; its end is what counts. (A connection that was just being handed to it stays
    // open and silent until its client gives up: node:cluster has no way to take it back.)
    worker.on('error', () => undefined);
    peer.on('count', (keys) => Promise.all(keys.map((key) => this.count(key))));
    peer.on('measureAll', () => this.measureAll());
    let listensSince = Infinity;
    worker.once('exit', (code: number | null, signal: string | null) => {
      if (performance.now() - listensSince > FORGET_DEATHS_MS) place.deaths = 0;
      this.ended(worker, place, code, signal);
    });
    return new Promise((resolve) => {
      peer.on('listening', (listening) => {
        listensSince = performance.now();
        this.listening.set(worker, peer);
        resolve(listening);
      });
    });
  }

  /** From now on the end of a worker is not the end of all. */
  replaceTheDead(): void {
    this.isReplacing = true;
  }

  /** Stops all workers as SIGTERM stops a single process, and then this process. */
  stop(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    setTimeout(() => this.kill(), STOP_WITHIN_MS).unref();
    for (const { process } of this.running) process.kill('SIGTERM');
    this.exitIfLast();
  }

  private kill(): void {
    for (const { process } of this.running) process.kill('SIGKILL');
    process.exit(1);
  }

  private ended(worker: Worker, place: Place, code: number | null, signal: string | null): void {
    this.running.delete(worker);
    this.listening.delete(worker);
    if (this.isStopping) {
      // One that was still starting dies of the signal.
      if (code !== 0 && signal !== 'SIGTERM' && signal !== 'SIGINT') this.exitCode = 1;
      this.exitIfLast();
    } else if (this.isReplacing) {
      this.replace(worker, place, code, signal);
    } else {
      // It has said why, unless somebody has killed it.
      if (signal !== null) this.logger.error({ signal }, 'a worker was killed while it started');
      this.exitCode = 1;
      this.stop();
    }
  }

  private replace(worker: Worker, place: Place, code: number | null, signal: string | null): void {
    place.deaths += 1;
    const delayMs = replacementDelay(place.deaths);
    const ended = { worker: worker.process.pid, code, signal, delayMs };
    this.logger.warn(ended, 'a worker has ended and is replaced');
    setTimeout(() => void this.start('next', place), delayMs);
  }

  private exitIfLast(): void {
    if (this.running.size === 0) process.exit(this.exitCode);
  }

  private async count(key: string) {
    const { consumedPoints, msBeforeNext } = await this.counter.consume(key);
    return { consumedPoints, msBeforeNext };
  }

  private async measureAll(): Promise<Measured[]> {
    const peers = [...this.listening.values()];
    const answers = await Promise.allSettled(
      peers.map((peer) => peer.ask('measure', null, MEASURE_PATIENCE_MS)),
    );
    return answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }
}
