import ipaddr from 'ipaddr.js';
import type { Check, RefusalReason } from '../auth/credentials.js';
import type { Seals } from '../crypto/seal.js';
import { Problem } from '../http/problem.js';
import { SYSTEM_CHAIN, toPendingEvent } from './event.js';
import type { GateEvent } from './writer.js';

/** The action of the one event that stands for many refused requests. */
export const HTTP_REQUEST_FLOOD = 'http.request.flood';

/**
 * Refusals of one kind a minute and address that are answered and recorded one by one. An integration that goes on with a
 * revoked key once a second stays below; whoever tries out more wants to fill the trail or the disk.
 */
export const MAX_REFUSALS = 60;

/**
 * What is counted apart, so that neither uses up the room of the other: bad credentials, and requests of nobody. Nobody is who
 * shows none, or one of a session that is over: every browser that opens the panel without being logged in.
 */
export type Refusal = 'bad' | 'nobody';
const WINDOW_MS = 60_000;
/** At about 200 bytes an address. The oldest window ends early when there are more. */
const MAX_SOURCES = 10_000;
const RETRY_MS = 5_000;
/** Far from what fills the writer's queue. */
const WRITTEN_AT_ONCE = 100;
/** Floods that wait for a trail that cannot be written; further ones are given up. */
const MAX_UNWRITTEN = 50_000;

/** Requests from one address that were refused without an event of their own. */
export interface Flood {
  /** An IPv4 address, or the /64 network of an IPv6 one: a single subscriber has as much. */
  source: string;
  count: number;
  /** The first and the last of them, by this process's clock. */
  from: Date;
  to: Date;
}

/** How floods are counted; the specs count faster. */
export interface FloodOptions {
  limit?: number;
  windowMs?: number;
  maxSources?: number;
}

interface Window {
  /** `performance.now()` of the first refusal. */
  startedAt: number;
  seen: number;
  flood: Flood | undefined;
}

/**
 * Counts refusals by address and kind. Over the limit they get no events any more, but are counted here, and one event for
 * each address, kind and minute says how many they were: so that together with the single events before they add up to what was
 * sent. The minute that is being counted is lost when the process is killed; {@link writeNow} saves it. What failed is written
 * again: if that commit was only in doubt, the trail has the event twice, with the same times.
 */
export class Floods {
  private readonly limit: number;
  private readonly windowMs: number;
  private readonly maxSources: number;
  /** By source and kind, in the order of their beginning, as all are equally long. */
  private readonly windows = new Map<string, Window>();
  private unwritten: Flood[] = [];
  /** Requests of floods that were given up. */
  private lost = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  /** @param write puts an event on the trail; a flood whose write fails is written again later */
  constructor(
    private readonly write: (flood: Flood) => Promise<void>,
    options: FloodOptions = {},
  ) {
    this.limit = options.limit ?? MAX_REFUSALS;
    this.windowMs = options.windowMs ?? WINDOW_MS;
    this.maxSources = options.maxSources ?? MAX_SOURCES;
  }

  /**
   * Notes one refusal. Undefined: it is to be answered and recorded like any request. Otherwise it has been counted
   * instead, and the answer is how many seconds (at least 1) the address should wait.
   */
  note(ip: string, refusal: Refusal): number | undefined {
    const now = performance.now();
    this.endWindows(now);
    const source = sourceOf(ip);
    const key = `${refusal} ${source}`;
    const window = this.windows.get(key) ?? this.begin(key, now);
    window.seen += 1;
    if (window.seen <= this.limit) return undefined;
    const at = new Date();
    window.flood ??= { source, count: 0, from: at, to: at };
    window.flood.count += 1;
    window.flood.to = at;
    return Math.max(1, Math.ceil((window.startedAt + this.windowMs - now) / 1_000));
  }

  /** Ends all windows and writes what has been counted. Answers how many requests could not be put on the trail so far. */
  async writeNow(): Promise<number> {
    this.endWindows(Infinity);
    await this.flush();
    return this.unwritten.reduce((sum, { count }) => sum + count, this.lost);
  }

  private begin(key: string, now: number): Window {
    if (this.windows.size >= this.maxSources) this.endOldest();
    const window = { startedAt: now, seen: 0, flood: undefined };
    this.windows.set(key, window);
    this.wakeIn(this.windowMs);
    return window;
  }

  private endWindows(now: number): void {
    for (const { startedAt } of this.windows.values()) {
      if (startedAt + this.windowMs > now) return;
      this.endOldest();
    }
  }

  private endOldest(): void {
    const oldest = this.windows.entries().next().value;
    if (oldest === undefined) return;
    const [key, { flood }] = oldest;
    this.windows.delete(key);
    if (flood === undefined) return;
    if (this.unwritten.length < MAX_UNWRITTEN) this.unwritten.push(flood);
    else this.lost += flood.count;
    this.wakeIn(0);
  }

  private wakeIn(milliseconds: number): void {
    if (milliseconds === 0) clearTimeout(this.timer);
    else if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.endWindows(performance.now());
      void this.flush();
    }, milliseconds).unref();
  }

  private flush(): Promise<void> {
    return (this.writing = this.writing.then(() => this.writeAll()));
  }

  private async writeAll(): Promise<void> {
    while (this.unwritten.length > 0) {
      const floods = this.unwritten.splice(0, WRITTEN_AT_ONCE);
      const results = await Promise.allSettled(floods.map((flood) => this.write(flood)));
      const failed = floods.filter((_, index) => results[index]?.status === 'rejected');
      if (failed.length === 0) continue;
      // The trail is away: a shutdown must not wait for a time-out for each of the others too.
      this.unwritten.push(...failed);
      return this.wakeIn(RETRY_MS);
    }
    this.wakeForOldest();
  }

  private wakeForOldest(): void {
    const oldest = this.windows.values().next().value;
    if (oldest === undefined) return;
    this.wakeIn(Math.max(1, oldest.startedAt + this.windowMs - performance.now()));
  }
}

/** Reasons that are no guess: there was nothing to check, or the secret was right. */
const NOBODY = new Set<RefusalReason>([
  'missing',
  'session_ended',
  'session_expired',
  'session_idle',
]);

/**
 * How a refused request is counted, undefined: not at all. Counted is whose credential was no good, and who had none where
 * one is needed. Nothing that was done is ever counted.
 */
export function refusalOf(check: Check | null, status: number): Refusal | undefined {
  if (check === null || check.ok || status < 400 || status >= 500) return undefined;
  if (!NOBODY.has(check.reason)) return 'bad';
  return status === 401 || check.reason !== 'missing' ? 'nobody' : undefined;
}

/** The problem type of draft-ietf-httpapi-ratelimit-headers for what looks like an attack. */
export const ABNORMAL_USAGE = {
  uri: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
  title: 'Request not satisfied due to detection of abnormal request pattern',
};

/** The answer to a refused request from an address that has sent too many: 429 `too_many_bad_credentials`. */
export function floodProblem(seconds: number): Problem {
  const detail = 'Too many requests without a good credential came from this address.';
  return new Problem(429, 'too_many_bad_credentials', detail, {
    type: ABNORMAL_USAGE,
    violatedPolicies: ['bad-credentials'],
    headers: { 'Retry-After': String(seconds) },
  });
}

/** The event that stands for a flood. */
export function floodEvent(flood: Flood, seals: Seals): GateEvent {
  const value = (after: unknown) => ({ before: null, after });
  const event = toPendingEvent(SYSTEM_CHAIN, {
    action: HTTP_REQUEST_FLOOD,
    outcome: 'denied',
    organizationId: null,
    actor: { type: 'anonymous', id: null, name: null },
    key: null,
    targets: [],
    permission: null,
    method: null,
    route: null,
    path: null,
    status: 429,
    reason: 'too_many_bad_credentials',
    ip: flood.source,
    userAgent: null,
    requestId: null,
    changes: {
      count: value(flood.count),
      from: value(flood.from.toISOString()),
      to: value(flood.to.toISOString()),
    },
  });
  return { ...event, seal: seals.event(event.chain, event.body), epoch: null, notAfter: null };
}

/** What counts as one caller where only the address is known: the address itself, or the /64 of an IPv6 one; pure. */
export function sourceOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${ip}/64`).toString()}/64`;
}
