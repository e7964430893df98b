import { Injectable } from '@nestjs/common';
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import { AnswerMetrics } from './answer-metrics.js';

const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** What one process has measured. */
export type Measured = MetricObjectWithValues<MetricValue<string>>[];

/** What the audit gate shows of itself: how much waits, and how large its batches are. */
@Injectable()
export class GateMetrics {
  private depth: () => number = () => 0;

  /** Read at every scrape. */
  readonly queueDepth: Gauge = new Gauge({
    name: 'claviger_audit_gate_queue_depth',
    help: 'Events that wait to be written to the audit trail.',
    registers: [],
    collect: (): void => this.queueDepth.set(this.depth()),
  });

  readonly batchSize: Histogram = new Histogram({
    name: 'claviger_audit_gate_batch_size',
    help: 'Events written to the audit trail in one batch.',
    buckets: BATCH_BUCKETS,
    registers: [],
  });

  /** Where the depth of the queue is read. */
  watchDepth(depth: () => number): void {
    this.depth = depth;
  }

  /** One batch was written. */
  batch(size: number): void {
    this.batchSize.observe(size);
  }
}

/** The metrics of one server, in a registry of its own: several may run in one process. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private measureAll: (() => Promise<Measured[]>) | undefined;

  private readonly answers = new AnswerMetrics(this.registry);

  /** Look-ups in the credential cache. */
  private readonly lookups = { hit: 0, miss: 0 };

  private readonly belowRouter = new Counter({
    name: 'claviger_http_below_router_total',
    help: 'Answers made before there was a request (400, 408, 417, 431), by status. They have no path and no event.',
    labelNames: ['status'] as const,
    registers: [this.registry],
  });

  constructor(gate: GateMetrics) {
    const { lookups } = this;
    new Counter({
      name: 'claviger_credential_cache_lookups_total',
      help: 'Look-ups in the credential cache by result, hit or miss.',
      labelNames: ['result'] as const,
      registers: [this.registry],
      collect(): void {
        this.reset();
        for (const [result, count] of Object.entries(lookups))
          if (count > 0) this.inc({ result }, count);
      },
    });
    this.registry.registerMetric(gate.queueDepth);
    this.registry.registerMetric(gate.batchSize);
    collectDefaultMetrics({ register: this.registry });
  }

  /** One answer left. `route` is the template, never a path: the number of time series stays small. */
  answered(method: string, route: string, status: number, seconds: number): void {
    this.answers.note(method, route, status, seconds);
  }

  /** One look-up in the credential cache. */
  lookup(hit: boolean): void {
    this.lookups[hit ? 'hit' : 'miss'] += 1;
  }

  /** One answer made below the router. */
  refusedBelowRouter(status: number): void {
    this.belowRouter.inc({ status });
  }

  /** From now on {@link expose} sums up what all workers of this instance have measured. */
  sumOver(measureAll: () => Promise<Measured[]>): void {
    this.measureAll = measureAll;
  }

  /** What this process has measured. */
  measure(): Promise<Measured> {
    return this.registry.getMetricsAsJSON();
  }

  /** The text exposition format. */
  async expose(): Promise<string> {
    if (this.measureAll === undefined) return this.registry.metrics();
    return sumOf(await this.measureAll()).metrics();
  }
}

/**
 * Sums counters, histograms and gauges; of what cannot be summed (event loop lag) the mean, the least or the most, as
 * prom-client says.
 */
function sumOf(all: Measured[]): Registry {
  // prom-client leaves it out. The latest start tells of a worker that was replaced.
  const sum = AggregatorRegistry.aggregate<PrometheusContentType>(
    all.map((one) =>
      one.map((metric) =>
        metric.name === 'process_start_time_seconds' ? { ...metric, aggregator: 'max' } : metric,
      ),
    ),
  );
  const workers = new Gauge({
    name: 'claviger_workers',
    help: 'Worker processes that these metrics are the sum of.',
    registers: [sum],
  });
  workers.set(all.length);
  return sum;
}
