import cluster from 'node:cluster';
import type { Measured } from '../http/metrics.js';
import type { Count } from '../limits/counts.js';
import type { Listening } from '../welcome.js';
import { Peer, ROLE_VARIABLE } from './peer.js';

/** The primary only hands connections on and counts: when it is silent for so long, the machine is overloaded. */
const COUNT_PATIENCE_MS = 1_000;
/** Longer than the primary waits for a worker. */
const MEASURE_PATIENCE_MS = 3_000;
const LISTENING_PATIENCE_MS = 30_000;

/** What a worker tells and asks its primary. */
export interface Primary {
  /** Whether this worker has the first start to itself. */
  isFirst: boolean;
  /** Counts requests together with the other workers. */
  count(keys: string[]): Promise<Count[]>;
  /** What all workers have measured, this one among them. */
  measureAll(): Promise<Measured[]>;
  /** How the primary learns what this worker has measured. */
  onMeasure(measure: () => Promise<Measured>): void;
  /** Tells the primary that this worker listens. */
  listens(listening: Listening): Promise<void>;
  /** Has something done when the primary is gone. Before this was called a worker without its primary just ends. */
  onceGone(act: () => void): void;
}

/** The primary of this process; undefined where it is the only one. */
export function findPrimary(): Primary | undefined {
  const role = process.env[ROLE_VARIABLE];
  const { worker } = cluster;
  if (role === undefined || worker === undefined) return undefined;
  const peer = new Peer((message, failed) => {
    worker.send(message, (error: Error | null) => error !== null && failed(error));
  });
  worker.on('message', (message: unknown) => peer.receive(message));
  return {
    isFirst: role === 'first',
    count: (keys) => peer.ask('count', keys, COUNT_PATIENCE_MS),
    measureAll: () => peer.ask('measureAll', null, MEASURE_PATIENCE_MS),
    onMeasure: (measure) => peer.on('measure', measure),
    listens: (listening) => peer.ask('listening', listening, LISTENING_PATIENCE_MS),
    onceGone: (act) =>
      worker.once('disconnect', () => {
        // Else Node ends the process here and now, with what it has in flight.
        worker.exitedAfterDisconnect = true;
        act();
      }),
  };
}
