import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TracingConfig } from './tracing-config.js';

/** Nest injection token of {@link Tracing}; provided only where there are traces. */
export const TRACING = Symbol('tracing');

/**
 * What the server does as spans, sent to an OpenTelemetry collector. Nothing waits for that, and nothing fails by it. No span
 * holds a path, a query, a value of a statement, or a text that a caller has sent.
 */
export interface Tracing {
  /** Registers the hook that begins a request’s span; to be called right after the one that gives the request its context. */
  install(fastify: FastifyInstance): void;
  /** Has work on the database be a child of the request that it is for, if it is for one. `target` is one of few words. */
  database<T>(operation: string, target: string, work: () => Promise<T>): Promise<T>;
  /** The same for the wait until a request's event is on the trail. `organizationId`: whose chain it is on, null for `system`. */
  append<T extends string>(
    request: FastifyRequest,
    event: { organizationId: string | null; queueDepth: number },
    work: () => Promise<T>,
  ): Promise<T>;
}

/** What {@link openTracing} needs. */
export interface TracingOptions {
  tracing?: TracingConfig;
  publicUrl: string;
}

/** The traces of this process, or nothing where none are asked for: then nothing of OpenTelemetry's is loaded either. */
export async function openTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { tracing, publicUrl } = options;
  if (tracing === undefined) return undefined;
  const scheme = new URL(publicUrl).protocol.slice(0, -1);
  return (await import('./otlp.js')).openOtlp(tracing, scheme);
}
