import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { whenThere } from '../http/at-once.js';
import {
  type Count,
  type CountElsewhere,
  CounterElsewhere,
  CounterInMemory,
  type CountsRequests,
} from './counts.js';

/** Where a caller stands in its window after a request was counted. */
export interface Usage {
  /** Requests in this window, the one just counted among them. */
  used: number;
  /** Whole seconds until the window ends, at least 1. */
  resetSeconds: number;
}

/** How a counter counts. */
export interface RequestCounterOptions {
  windowSeconds: number;
  /** Where several instances count together; without it each counts alone. */
  redisUrl?: string | undefined;
}

/** Limits differ by caller and change at any time, so they are compared here and not by the library. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const KEY_PREFIX = 'claviger:requests';
/**
 * How long Redis may keep a request waiting. A Redis that is silent for so long counts as gone: the connection is
 * dropped, and until a new one has shaken hands requests are counted in memory without asking it.
 */
const REDIS_PATIENCE_MS = 100;
const REDIS_CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;

/**
 * Counts requests in windows that begin with the first one: in memory, or in Redis for several instances together. While
 * Redis is away, or answers with errors, every instance counts by itself, from zero; when it is back they count together
 * again. The workers of one instance count together either way. Never fails.
 */
export class RequestCounter {
  private readonly logger = new Logger('RequestCounter');
  /** This instance without the others. */
  private alone: CountsRequests;
  private readonly together: RateLimiterRedis | undefined;
  private readonly redis: Redis | undefined;
  /** Since the last request that Redis counted. */
  private isAway = false;

  constructor({ windowSeconds, redisUrl }: RequestCounterOptions) {
    this.alone = new CounterInMemory(windowSeconds);
    if (redisUrl === undefined) return;
    this.redis = this.connect(redisUrl);
    this.together = new RateLimiterRedis({
      points: NO_LIMIT,
      duration: windowSeconds,
      keyPrefix: KEY_PREFIX,
      storeClient: this.redis,
      rejectIfRedisNotReady: true,
    });
  }

  /** From now on what is not counted in Redis is counted where all workers of this instance count. */
  countWith(workers: CountElsewhere): void {
    this.alone = new CounterElsewhere(workers, this.alone);
  }

  /** Whether there is a connection on which the processes can count together. */
  get isShared(): boolean {
    return this.redis?.status === 'ready';
  }

  /** Counts one request under this key; at once where this process counts alone. */
  count(key: string): Usage | Promise<Usage> {
    const count =
      this.together === undefined
        ? this.alone.consume(key)
        : this.consumeTogether(this.together, key);
    return whenThere(count, toUsage);
  }

  private async consumeTogether(together: RateLimiterRedis, key: string): Promise<Count> {
    try {
      const result = await together.consume(key);
      this.noteBack();
      return result;
    } catch (error) {
      this.noteAway(error);
      return this.alone.consume(key);
    }
  }

  private noteAway(error: unknown): void {
    if (this.isAway) return;
    this.isAway = true;
    const reason = error instanceof Error ? error.message : 'it does not count';
    this.logger.warn(`Redis is away, limits hold per instance: ${reason}`);
  }

  private noteBack(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.logger.log('Redis is back: limits are shared again');
  }

  /** Ends the connection to Redis. */
  close(): void {
    this.redis?.disconnect();
  }

  private connect(url: string): Redis {
    const redis = new Redis(url, {
      // Known to every version of Redis and of what speaks like it.
      protocol: 2,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: REDIS_PATIENCE_MS,
      socketTimeout: REDIS_PATIENCE_MS,
      disconnectTimeout: REDIS_PATIENCE_MS,
      connectTimeout: REDIS_CONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(50 * times, MAX_RECONNECT_DELAY_MS),
    });
    redis.on('error', (error: Error) => this.noteAway(error));
    return redis;
  }
}

function toUsage({ consumedPoints, msBeforeNext }: Count): Usage {
  return { used: consumedPoints, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)) };
}
