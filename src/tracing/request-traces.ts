import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import {
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_SCHEME,
  DB_SYSTEM_NAME_VALUE_POSTGRESQL,
} from '@opentelemetry/semantic-conventions';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AsyncLocalStorage } from 'node:async_hooks';
import { DatabaseUnavailableError, sqlState } from '../database/errors.js';
import { routeOf } from '../http/route.js';
import type { Tracing } from './tracing.js';

/** A long export has a transaction for each page. */
const MAX_CHILDREN = 64;
/** What the stop waits for the collector at most. */
const FLUSH_MS = 1_000;
/** So long after the stop has begun nothing is waited for any more: at 9.5 s the process ends itself. */
const FLUSHED_BY_MS = 9_200;

/** Those that the semantic conventions know; others must not be told apart. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);
const OTHER_METHOD = '_OTHER';

/** The span of one request that is sampled, while it runs. */
interface RequestTrace {
  span: Span;
  /** With the span as parent. */
  context: Context;
  children: number;
  hasEnded: boolean;
}

/** One child. `failure`: what is its `error.type` after an error, undefined where that is none of its own. */
interface Child<T> {
  name: string;
  kind: SpanKind;
  attributes: Attributes;
  failure: (error: Error) => string | undefined;
  succeeded?: (span: Span, result: T) => void;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** There only where the request is traced. */
    trace?: RequestTrace;
  }
}

/** Ends the process’s traces: hands over what waits. */
export type Flush = () => Promise<void>;

/** See {@link Tracing}. */
export class RequestTraces implements Tracing, BeforeApplicationShutdown, OnApplicationShutdown {
  /** Which request the work at hand is for: the doors to the database are not told. */
  private readonly current = new AsyncLocalStorage<RequestTrace>();
  /** Requests with a trace that have not ended. */
  private running = 0;
  private stoppingSince = Infinity;

  constructor(
    private readonly tracer: Tracer,
    private readonly flush: Flush,
    private readonly scheme: string,
  ) {}

  install(fastify: FastifyInstance): void {
    fastify.decorateRequest('trace', undefined);
    fastify.addHook('onRequest', (request, reply, done) => {
      request.trace = this.begin(request, reply);
      if (request.trace === undefined) done();
      else this.current.run(request.trace, done);
    });
  }

  database<T>(operation: string, target: string, work: () => Promise<T>): Promise<T> {
    const summary = `${operation} ${target}`;
    return this.child(this.current.getStore(), work, {
      name: summary,
      kind: SpanKind.CLIENT,
      attributes: {
        [ATTR_DB_SYSTEM_NAME]: DB_SYSTEM_NAME_VALUE_POSTGRESQL,
        [ATTR_DB_OPERATION_NAME]: operation,
        [ATTR_DB_QUERY_SUMMARY]: summary,
      },
      failure: databaseFailure,
    });
  }

  append<T extends string>(
    request: FastifyRequest,
    event: { organizationId: string | null; queueDepth: number },
    work: () => Promise<T>,
  ): Promise<T> {
    const { organizationId, queueDepth } = event;
    if (organizationId !== null) {
      request.trace?.span.setAttribute('claviger.organization_id', organizationId);
    }
    return this.child(request.trace, work, {
      name: 'audit.append',
      kind: SpanKind.INTERNAL,
      attributes: { 'claviger.audit.queue_depth': queueDepth },
      failure: (error) => error.name,
      succeeded: (span, result) => span.setAttribute('claviger.audit.result', result),
    });
  }

  /** Notes when the stop began. */
  beforeApplicationShutdown(): void {
    this.stoppingSince = performance.now();
  }

  /** Hands over what waits; a collector that is slow, or away, is not waited for long. */
  async onApplicationShutdown(): Promise<void> {
    const left = this.stoppingSince + FLUSHED_BY_MS - performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, Math.min(FLUSH_MS, left)));
    });
    await Promise.race([this.flush().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  /** Undefined for probes, and where the request is not sampled. */
  private begin(request: FastifyRequest, reply: FastifyReply): RequestTrace | undefined {
    const { url, template } = routeOf(request);
    if (url === '/metrics' || url.startsWith('/health/')) return undefined;
    const route = template ?? url;
    const method = METHODS.has(request.method) ? request.method : OTHER_METHOD;
    const attributes: Attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_URL_SCHEME]: this.scheme,
      'claviger.request_id': request.id,
    };
    if (route !== '') attributes[ATTR_HTTP_ROUTE] = route;
    const verb = method === OTHER_METHOD ? 'HTTP' : method;
    const name = route === '' ? verb : `${verb} ${route}`;
    const parent = parentOf(request.headers.traceparent);
    const span = this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    if (!span.isRecording()) return undefined;
    const context = trace.setSpan(parent, span);
    const begun: RequestTrace = { span, context, children: 0, hasEnded: false };
    this.running += 1;
    // Also when the client has gone before its answer.
    reply.raw.once('close', () => {
      end(begun, request, reply);
      this.running -= 1;
      // Knowing whom work is for makes every promise dearer: with few requests sampled, for nothing most of the time.
      if (this.running === 0) this.current.disable();
    });
    return begun;
  }

  private async child<T>(
    parent: RequestTrace | undefined,
    work: () => Promise<T>,
    { name, kind, attributes, failure, succeeded }: Child<T>,
  ): Promise<T> {
    // What a request has set going for later is not its own any more.
    if (parent === undefined || parent.hasEnded) return work();
    parent.children += 1;
    if (parent.children > MAX_CHILDREN) return work();
    const span = this.tracer.startSpan(name, { kind, attributes }, parent.context);
    try {
      const result = await work();
      succeeded?.(span, result);
      return result;
    } catch (error) {
      const type = failure(error as Error);
      if (type !== undefined) fail(span, type);
      throw error;
    } finally {
      span.end();
    }
  }
}

/**
 * The caller's span, and whether it is sampled. Without `tracestate`, which is free text of a stranger's, and no use to a server
 * that calls nobody.
 */
function parentOf(traceparent: string | string[] | undefined): Context {
  const parsed = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
  if (parsed === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...parsed, isRemote: true });
}

function end(ended: RequestTrace, request: FastifyRequest, { raw }: FastifyReply): void {
  const { span, children } = ended;
  ended.hasEnded = true;
  if (raw.headersSent) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, raw.statusCode);
  if (!raw.writableFinished) span.setAttribute('claviger.aborted', true);
  if (raw.headersSent && raw.statusCode >= 500) {
    fail(span, request.problemCode ?? String(raw.statusCode));
  }
  if (children > MAX_CHILDREN) {
    span.setAttribute('claviger.children_left_out', children - MAX_CHILDREN);
  }
  span.end();
}

/** By a word alone: messages of errors may hold values. */
function fail(span: Span, type: string): void {
  span.setAttribute(ATTR_ERROR_TYPE, type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Work may also end in a refusal (there is no such row, say), which is no failure of the database. */
function databaseFailure(error: Error): string | undefined {
  return error instanceof DatabaseUnavailableError ? error.name : sqlState(error);
}
