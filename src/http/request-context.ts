import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newId } from '../crypto/id.js';
import { clientAddress } from './address.js';
import { findRoute, type Route } from './route.js';

/** What is known of every request before anything is decided about it. */
export interface RequestContext {
  /** `req_…`: in the X-Request-Id header, in errors, in logs and on the trail. */
  id: string;
  /** The client's address, behind trusted proxies; normalized, IPv4 never in its IPv6-mapped form. */
  ip: string;
  userAgent: string | null;
  /** `performance.now()` when the first hook ran. */
  startedAt: number;
  /** To be asked for by `routeOf`. */
  route: Route;
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
}

/** `genReqId` of Fastify: one id per request, never the client's own (it would forge the trail). */
export function newRequestId(): string {
  return newId('req');
}

function contextOf(request: FastifyRequest, trustedProxies: readonly string[]): RequestContext {
  const { headers, socket } = request.raw;
  const forwarded = headers['x-forwarded-for'];
  return {
    id: request.id,
    ip: clientAddress(
      socket.remoteAddress,
      Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
      trustedProxies,
    ),
    userAgent: headers['user-agent'] ?? null,
    startedAt: performance.now(),
    route: findRoute(request),
  };
}

/** What the first hook needs to know. */
export interface ContextOptions {
  trustedProxies: readonly string[];
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>;
}

/** Registers the first `onRequest` hook: it must be installed before any other. */
export function installRequestContext(fastify: FastifyInstance, options: ContextOptions): void {
  // Declared up front so that every request has one shape; null until the hook below ran.
  fastify.decorateRequest('context', null as never);
  fastify.addHook('onRequest', (request, reply, done) => {
    beginRequest(request, reply, options);
    done();
  });
}

/** Gives a request its context and its answer the headers that every answer has. */
export function beginRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { trustedProxies, headers }: ContextOptions,
): void {
  request.context = contextOf(request, trustedProxies);
  reply.headers(headers);
  reply.header('X-Request-Id', request.context.id);
}
