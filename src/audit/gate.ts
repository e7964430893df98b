import { Inject, Injectable, Logger, type OnApplicationShutdown, Optional } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate, authorize } from '../auth/authorize.js';
import type { Check } from '../auth/credentials.js';
import { Identifier } from '../auth/identify.js';
import { SessionCookies } from '../auth/session-cookie.js';
import { showEnd } from '../auth/sunset.js';
import { Seals } from '../crypto/seal.js';
import { DatabaseService } from '../database/database.service.js';
import { sqlState } from '../database/errors.js';
import { problemFrom } from '../http/problem-from.js';
import { writeProblem } from '../http/problem.filter.js';
import { type Problem, unavailable } from '../http/problem.js';
import { routeOf } from '../http/route.js';
import { GateMetrics } from '../http/metrics.js';
import { hideLimit } from '../limits/rate-limit.js';
import { enforceLimit } from '../limits/request-limits.js';
import { type Tracing, TRACING } from '../tracing/tracing.js';
import { Checkpoints } from './checkpoints.js';
import { SYSTEM_CHAIN } from './event.js';
import { type Flood, floodEvent, floodProblem, Floods, refusalOf } from './floods.js';
import { httpEvent, pathOf } from './http-event.js';
import { HeadSeals } from './head-seals.js';
import { installUnderWay } from './under-way.js';
import { UsageRecorder } from './usage.js';
import { UsageCounter } from './usage-counter.js';
import { AuditWriter, type GateEvent } from './writer.js';

/** Rounds in which an answer may rest on the cache or on one fresh reading; then it must not. */
const CONDITIONAL_ROUNDS = 2;
/** A request that has already waited this long for a database gets no further time-out. */
const LATE_AFTER_MS = 1_500;
const LATE_GRACE_MS = 300;

const REPLACED_HEADERS = [
  'location',
  'etag',
  'idempotency-replayed',
  'set-cookie',
  'content-length',
  'content-encoding',
  'content-disposition',
  'www-authenticate',
  'allow',
  'retry-after',
];

/**
 * The audit gate: nothing leaves the server until the request is on the audit trail, and the commit
 * that puts it there checks once more that what the answer rests on still holds. It never throws;
 * an answer that may not leave is replaced. Only the 429s of a flood of refusals leave before
 * their event, which stands for many of them.
 */
@Injectable()
export class AuditGate implements OnApplicationShutdown {
  private readonly logger = new Logger('AuditGate');
  private readonly writer: AuditWriter;
  private readonly usage: UsageRecorder;
  /** What leaves without an event of its own. */
  readonly floods = new Floods((flood) => this.writeFlood(flood));

  constructor(
    private readonly identifier: Identifier,
    private readonly cookies: SessionCookies,
    private readonly seals: Seals,
    private readonly headSeals: HeadSeals,
    private readonly checkpoints: Checkpoints,
    private readonly counter: UsageCounter,
    database: DatabaseService,
    metrics: GateMetrics,
    @Optional() @Inject(TRACING) private readonly tracing?: Tracing,
  ) {
    this.writer = new AuditWriter(() => database.openConnection(), metrics);
    this.usage = new UsageRecorder(database);
    metrics.watchDepth(() => this.writer.depth);
  }

  /**
   * Registers the gate as the last `onSend` hook, a limit of what is under way, and for the answers that Fastify makes without
   * hooks; to be called before the routes are ready.
   */
  install(fastify: FastifyInstance): void {
    installUnderWay(fastify, isAudited);
    fastify.addHook('onSend', (request, reply, payload) => this.pass(request, reply, payload));
    fastify.finish = (request, reply, payload) =>
      this.pass(request, reply, payload) as Promise<string>;
  }

  /** The payload that may leave for this request: the one given, or what replaces it. */
  async pass(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    if (request.isTooMuch === true || !isAudited(request)) return payload;
    try {
      return await this.settle(request, reply, payload);
    } catch (error) {
      const { message, cause } = error as Error;
      const state = sqlState(cause) ?? 'no SQLSTATE';
      this.logger.error(`no event for ${request.context.id}: ${message} (${state})`);
      return replaceAnswer(request, reply, payload, auditUnavailable(request));
    }
  }

  /** Writes what still waits, then closes the gate's connections. */
  async onApplicationShutdown(): Promise<void> {
    const lost = await this.floods.writeNow();
    if (lost > 0) this.logger.error(`${lost} refused requests of floods are not on the trail`);
    await this.writer.close();
    await Promise.all([this.usage.flush(), this.counter.flush(), this.headSeals.flush()]);
    await this.checkpoints.flush();
  }

  private async settle(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: unknown,
  ): Promise<unknown> {
    let payload = answer;
    const identity = this.checkOf(request);
    let check = identity instanceof Promise ? await identity : identity;
    showEnd(reply, check);
    let conditional =
      (check?.ok === true && check.cached) ||
      request.subject?.cached === true ||
      request.isConditional === true;
    for (let round = 1; ; round += 1) {
      const waitSeconds = this.noteRefusal(request, reply, check);
      if (waitSeconds !== undefined) {
        this.counter.note(request, check, reply.statusCode);
        payload = replaceAnswer(request, reply, payload, floodProblem(waitSeconds));
        this.cookies.takeBack(request, reply, check);
        return payload;
      }
      const event = httpEvent(request, answerOf(request, reply), check, conditional, this.seals);
      if ((await this.append(request, reply, event)) === 'appended') {
        this.headSeals.note(event.chain);
        break;
      }
      check = await this.identifier.again(request);
      payload = await decideAgain(request, reply, payload, check);
      showEnd(reply, check);
      conditional = round < CONDITIONAL_ROUNDS;
    }
    this.cookies.takeBack(request, reply, check);
    if (check?.ok && check.credential.kind === 'key') {
      this.usage.note(check.credential.keyId, request.context.ip);
    }
    this.counter.note(request, check, reply.statusCode);
    const { subject } = request;
    if (subject?.credential) this.usage.note(subject.credential.keyId, subject.ip);
    return payload;
  }

  /** Undefined unless the answer is part of a flood, and has been counted as such. */
  private noteRefusal(
    request: FastifyRequest,
    reply: FastifyReply,
    check: Check | null,
  ): number | undefined {
    const refusal = refusalOf(check, reply.statusCode);
    return refusal === undefined ? undefined : this.floods.note(request.context.ip, refusal);
  }

  private async writeFlood(flood: Flood): Promise<void> {
    await this.writer.append(floodEvent(flood, this.seals));
    this.headSeals.note(SYSTEM_CHAIN);
  }

  /** Null on public routes (but for one that has asked), and where the check cannot be made because the database is away. */
  private checkOf(request: FastifyRequest): Check | null | Promise<Check | null> {
    if (routeOf(request).config.isPublic && request.identity === undefined) return null;
    const check = this.identifier.identify(request);
    return check instanceof Promise ? check.catch(() => null) : check;
  }

  private append(request: FastifyRequest, reply: FastifyReply, event: GateEvent) {
    const { tracing, writer } = this;
    const appended =
      tracing === undefined
        ? writer.append(event)
        : tracing.append(request, placeOf(event, writer), () => writer.append(event));
    const isLate = performance.now() - request.context.startedAt > LATE_AFTER_MS;
    if (reply.statusCode !== 503 || !isLate) return appended;
    // The database kept this request waiting already: one time-out is all a caller has to bear.
    let timer: NodeJS.Timeout;
    const grace = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the database is late')), LATE_GRACE_MS);
    });
    return Promise.race([appended, grace]).finally(() => clearTimeout(timer));
  }
}

function placeOf({ chain }: GateEvent, { depth }: AuditWriter) {
  return { organizationId: chain === SYSTEM_CHAIN ? null : chain, queueDepth: depth };
}

/** Everything under `/v1` and `/oauth`, whether a route matched or not. */
function isAudited(request: FastifyRequest): boolean {
  const path = routeOf(request).template ?? decodedPath(request);
  return /^\/+(?:v1|oauth)(?:$|[/;])/i.test(path);
}

function decodedPath(request: FastifyRequest): string {
  const path = pathOf(request).replace(/^https?:\/\/[^/]*/i, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function answerOf(request: FastifyRequest, reply: FastifyReply) {
  return { status: reply.statusCode, code: request.problemCode ?? null };
}

/** After a stale round: the guards decide again, and an answer made of credentials is made again. */
async function decideAgain(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  check: Check,
): Promise<unknown> {
  const { question, recompute } = request;
  // Without a question no guard decided: the answer does not rest on who was asking.
  if (question === undefined) return payload;
  try {
    const actor = authorize(authenticate(check), question);
    // The limit too is part of what the answer rested on.
    if (actor.credential !== null) enforceLimit(request, reply, actor.credential);
    if (recompute === undefined || reply.statusCode !== 200) return payload;
    reply.removeHeader('content-length');
    return JSON.stringify(await recompute(actor));
  } catch (error) {
    return replaceAnswer(request, reply, payload, problemFrom(error));
  }
}

function auditUnavailable(request: FastifyRequest): Problem {
  const isChange = request.method !== 'GET' && request.method !== 'HEAD';
  return unavailable(
    'audit_unavailable',
    isChange
      ? 'The audit trail cannot be written now. The change may have been made: try again with the same Idempotency-Key.'
      : 'The audit trail cannot be written now; try again.',
  );
}

/** Puts a problem in the place of an answer, with nothing of that answer left. */
function replaceAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  problem: Problem,
): string {
  if (payload !== null && typeof payload === 'object' && 'destroy' in payload) {
    (payload as { destroy(): void }).destroy();
  }
  for (const header of REPLACED_HEADERS) reply.removeHeader(header);
  if (problem.status === 401) hideLimit(reply);
  request.subject = undefined;
  return writeProblem(problem, request, reply);
}
