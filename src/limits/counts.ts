import type { RateLimiterRes } from 'rate-limiter-flexible';

/** Where a caller stands after a request was counted. */
export type Count = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/** Counts requests by key, in windows that begin with the first one. */
export interface CountsRequests {
  /** Counts one request; at once where nobody else has to be asked. */
  consume(key: string): Count | Promise<Count>;
}

interface Window {
  used: number;
  /** `performance.now()` at its first request. */
  startedAt: number;
}

/**
 * Counts in the memory of this process. The library's own way there is a promise and a timer for every key, which every request
 * would pay for.
 */
export class CounterInMemory implements CountsRequests {
  /** In the order of their beginning, as all are equally long. */
  private readonly windows = new Map<string, Window>();
  private readonly windowMs: number;

  constructor(windowSeconds: number) {
    this.windowMs = windowSeconds * 1_000;
  }

  /** Counts one request. */
  consume(key: string): Count {
    const now = performance.now();
    let window = this.windows.get(key);
    if (window === undefined || this.isOver(window, now)) window = this.begin(key, now);
    window.used += 1;
    // From its age, so that a new one has the whole time: a sum of large numbers and small ones is not exact.
    return { consumedPoints: window.used, msBeforeNext: this.windowMs - (now - window.startedAt) };
  }

  private isOver({ startedAt }: Window, now: number): boolean {
    return now - startedAt >= this.windowMs;
  }

  private begin(key: string, now: number): Window {
    for (const [old, window] of this.windows) {
      if (!this.isOver(window, now)) break;
      this.windows.delete(old);
    }
    const window = { used: 0, startedAt: now };
    this.windows.set(key, window);
    return window;
  }
}

/** Answers where the callers of these keys stand, in the same order, each request being counted in that order. */
export type CountElsewhere = (keys: string[]) => Promise<Count[]>;

/**
 * Counts in another process, which is asked once for all requests of one turn of the event loop. When it does not answer, the
 * requests are counted in the memory of this one instead: never fails.
 */
export class CounterElsewhere implements CountsRequests {
  private waiting: { key: string; tell: (count: Count | Promise<Count>) => void }[] = [];

  constructor(
    private readonly ask: CountElsewhere,
    private readonly alone: CountsRequests,
  ) {}

  /** Counts one request. */
  consume(key: string): Promise<Count> {
    return new Promise((tell) => {
      if (this.waiting.push({ key, tell }) === 1) setImmediate(() => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    const asked = this.waiting;
    this.waiting = [];
    const counts = await this.ask(asked.map(({ key }) => key)).catch((): Count[] => []);
    asked.forEach(({ key, tell }, index) => tell(counts[index] ?? this.alone.consume(key)));
  }
}
