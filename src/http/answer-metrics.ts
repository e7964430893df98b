import { Counter, type Registry } from 'prom-client';

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const DURATIONS = {
  name: 'claviger_http_request_duration_seconds',
  help: 'From the first hook to the last byte, by method and route template.',
  type: 'histogram',
  aggregator: 'sum',
} as const;

/** What the answers of one operation were. */
interface Series {
  labels: { method: string; route: string };
  /** Answers by status. */
  statuses: Map<number, number>;
  /** Answers by the first of {@link BUCKETS} that they fit into, and at last those that fit into none. */
  counts: number[];
  /** Of the seconds. */
  sum: number;
}

/**
 * Answers by method, route and status, and how long they took. prom-client sorts and joins the labels for every single number;
 * here a series is found by two look-ups, and put into its form when somebody scrapes.
 */
export class AnswerMetrics {
  /** By route, then method. */
  private readonly series = new Map<string, Map<string, Series>>();

  constructor(registry: Registry) {
    const all = this.series;
    new Counter({
      name: 'claviger_http_requests_total',
      help: 'Answers by method, route template and status.',
      labelNames: ['method', 'route', 'status'] as const,
      registers: [registry],
      collect(): void {
        this.reset();
        for (const { labels, statuses } of eachOf(all)) {
          for (const [status, count] of statuses) this.inc({ ...labels, status }, count);
        }
      },
    });
    const durations = {
      ...DURATIONS,
      get: () => Promise.resolve({ ...DURATIONS, values: [...eachOf(all)].flatMap(valuesOf) }),
    };
    // What a registry asks of a metric is its name, and what it has measured.
    registry.registerMetric(durations as unknown as Counter);
  }

  /** One answer. `route` is the template, never a path: the number of series stays small. */
  note(method: string, route: string, status: number, seconds: number): void {
    const series = this.seriesOf(method, route);
    const { statuses, counts } = series;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket += 1;
    counts[bucket]! += 1;
    series.sum += seconds;
  }

  private seriesOf(method: string, route: string): Series {
    let ofRoute = this.series.get(route);
    if (ofRoute === undefined) this.series.set(route, (ofRoute = new Map<string, Series>()));
    let series = ofRoute.get(method);
    if (series === undefined) {
      const counts = new Array<number>(BUCKETS.length + 1).fill(0);
      series = { labels: { method, route }, statuses: new Map(), counts, sum: 0 };
      ofRoute.set(method, series);
    }
    return series;
  }
}

function* eachOf(all: ReadonlyMap<string, ReadonlyMap<string, Series>>): Generator<Series> {
  for (const ofRoute of all.values()) yield* ofRoute.values();
}

/** As prom-client's own histograms have them: buckets that each contain all smaller ones, sum and count. */
function valuesOf({ labels, counts, sum }: Series) {
  const { name } = DURATIONS;
  let total = 0;
  const buckets = counts.map((count, index) => ({
    metricName: `${name}_bucket`,
    labels: { le: BUCKETS[index] ?? '+Inf', ...labels },
    value: (total += count),
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
