import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { isUploadRoute } from './body-parser.js';

/** What a request that has a body may take to arrive, from its headers on. */
const BODY_DEADLINE_MS = 15_000;
/** How often is looked: a deadline is kept this precisely. */
const CHECK_MS = 500;

/**
 * Ends requests whose bodies arrive too slowly, with 408 as Node's own `requestTimeout` would. That one holds for every route
 * alike and so has to allow for the longest upload. A file may take its time until it has been answered; who receives it
 * looks after it.
 */
export function installBodyDeadline(instance: FastifyInstance): void {
  /** When each body that is awaited must be there, by `performance.now()`. */
  const deadlines = new Map<IncomingMessage, number>();
  const inTime = (): number => performance.now() + BODY_DEADLINE_MS;
  instance.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request)) deadlines.set(request.raw, isUploadRoute(request) ? Infinity : inTime());
    done();
  });
  instance.addHook('onResponse', ({ raw }, _reply, done) => {
    if (raw.complete) deadlines.delete(raw);
    else if (deadlines.has(raw)) deadlines.set(raw, Math.min(inTime(), deadlines.get(raw)!));
    done();
  });
  const timer = setInterval(() => {
    for (const [raw, deadline] of deadlines) {
      if (raw.complete || raw.socket.destroyed) deadlines.delete(raw);
      else if (performance.now() > deadline)
        instance.server.emit('clientError', late(), raw.socket);
    }
  }, CHECK_MS).unref();
  instance.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function late(): Error {
  return Object.assign(new Error('the body is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
}
