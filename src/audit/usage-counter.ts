import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Check } from '../auth/credentials.js';
import { DatabaseService } from '../database/database.service.js';
import { clientProduct, UNKNOWN_CLIENT } from './client-product.js';
import { type AuditOutcome, outcomeOf } from './event.js';
import { routeOf } from '../http/route.js';
import { ADD_USES, OTHER } from './usage-counter.sql.js';

const FLUSH_AFTER_MS = 5_000;
/** So many counters of one key, and of all keys, wait to be written; further ones go under `other`, then nowhere. */
const MAX_OF_A_KEY = 100;
const MAX_WAITING = 5_000;
/** SQL on the embedded database runs on the main thread: small statements only. */
const MAX_ROWS = 500;

interface Use {
  keyId: string;
  route: string;
  ip: string;
  client: string;
  requests: number;
  /** Of `requests`. */
  denied: number;
  refused: number;
  /** `performance.now()`; null: not among these. */
  usedAt: number | null;
  refusedAt: number | null;
}

/**
 * How often keys are used, by day, operation, address and client. Counted in memory and written behind the requests, so
 * the counters of the last seconds are lost when the process is killed: the trail has every single request.
 */
@Injectable()
export class UsageCounter {
  private waiting = new Map<string, Map<string, Use>>();
  private size = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly database: DatabaseService) {}

  /**
   * Counts an answered request for its caller's key, and one that was let in by introspection for the key asked about. A
   * wrong secret counts for nobody; a right one that was refused counts as refused. A good key that was answered with a
   * refusal counts as denied too, as the outcome of the request's event says: `status` is the answer's.
   */
  note(request: FastifyRequest, check: Check | null, status: number): void {
    const { subject, context } = request;
    if (check?.ok) {
      if (check.credential.kind === 'key') {
        this.count(request, check.credential.keyId, context.ip, outcomeOf(status));
      }
    } else if (check?.key?.verified) {
      this.count(request, check.key.keyId, context.ip, 'refused');
    }
    if (subject?.credential) {
      const ip = subject.ip ?? UNKNOWN_CLIENT;
      this.count(request, subject.credential.keyId, ip, outcomeOf(status));
    }
  }

  /** Writes what has been counted; never fails. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return (this.flushing = this.flushing.then(() => this.write()));
  }

  private count(
    request: FastifyRequest,
    keyId: string,
    ip: string,
    outcome: AuditOutcome | 'refused',
  ): void {
    const use = this.useOf(request, keyId, ip);
    if (use === undefined) return;
    if (outcome === 'refused') {
      use.refused += 1;
      use.refusedAt = performance.now();
    } else {
      use.requests += 1;
      if (outcome === 'denied') use.denied += 1;
      use.usedAt = performance.now();
    }
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** The counter that is to be raised, or undefined when there is no room for a new one. */
  private useOf(request: FastifyRequest, keyId: string, ip: string): Use | undefined {
    const uses = this.waiting.get(keyId) ?? new Map<string, Use>();
    const route = routeOf(request).url;
    const client = clientProduct(request.context.userAgent);
    const key = `${request.method} ${route} ${ip} ${client}`;
    const use = uses.get(key);
    if (use !== undefined) return use;
    if (uses.size < MAX_OF_A_KEY && this.size < MAX_WAITING) {
      return this.add(uses, key, request, { keyId, ip, client });
    }
    const otherKey = `${request.method} ${route}`;
    const other = uses.get(otherKey);
    if (other !== undefined || this.size >= 2 * MAX_WAITING) return other;
    return this.add(uses, otherKey, request, { keyId, ip: OTHER, client: OTHER });
  }

  private add(
    uses: Map<string, Use>,
    key: string,
    request: FastifyRequest,
    who: Pick<Use, 'keyId' | 'ip' | 'client'>,
  ): Use {
    const route = `${request.method} ${routeOf(request).template ?? '*'}`;
    const counts = { requests: 0, denied: 0, refused: 0 };
    const use = { ...who, route, ...counts, usedAt: null, refusedAt: null };
    uses.set(key, use);
    this.waiting.set(who.keyId, uses);
    this.size += 1;
    return use;
  }

  private async write(): Promise<void> {
    const uses = [...this.waiting.values()].flatMap((one) => [...one.values()]);
    this.waiting = new Map();
    this.size = 0;
    if (uses.length === 0) return;
    try {
      for (let start = 0; start < uses.length; start += MAX_ROWS) {
        await this.database.raw(ADD_USES, columnsOf(uses.slice(start, start + MAX_ROWS)));
      }
    } catch {
      // The database is away: these numbers are lost, the requests themselves are on the trail.
    }
  }
}

function columnsOf(uses: Use[]): unknown[] {
  const now = performance.now();
  const age = (at: number | null) => (at === null ? null : now - at);
  return [
    uses.map((use) => use.keyId),
    uses.map((use) => use.route),
    uses.map((use) => use.ip),
    uses.map((use) => use.client),
    uses.map((use) => use.requests),
    uses.map((use) => use.denied),
    uses.map((use) => use.refused),
    uses.map((use) => age(use.usedAt)),
    uses.map((use) => age(use.refusedAt)),
  ];
}
