import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isUploadRoute } from './body-parser.js';

/** What a request that has a body may take to arrive, from its headers on. */
const BODY_DEADLINE_MS = 15_000;
/** How often is looked: a deadline is kept this precisely. */
const CHECK_MS = 500;

/** The body that a connection is bringing. */
interface Arriving {
  raw: IncomingMessage | undefined;
  /** When it must be there, by `performance.now()`. */
  deadline: number;
}

/**
 * Ends requests whose bodies arrive too slowly, with 408 as Node's own `requestTimeout` would. That one holds for every route
 * alike and so has to allow for the longest upload. A file may take its time until it has been answered; who receives it
 * looks after it.
 */
export function installBodyDeadline(instance: FastifyInstance): void {
  // By connection, which brings one body at a time: entries that come and go with each request would outlive it by far, as the
  // engine finds them in what is old.
  const connections = new Map<Socket, Arriving>();
  const inTime = (): number => performance.now() + BODY_DEADLINE_MS;
  const of = (socket: Socket): Arriving => {
    let arriving = connections.get(socket);
    if (arriving === undefined) {
      arriving = { raw: undefined, deadline: Infinity };
      connections.set(socket, arriving);
      socket.once('close', () => connections.delete(socket));
    }
    return arriving;
  };
  instance.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request)) {
      const arriving = of(request.raw.socket);
      arriving.raw = request.raw;
      arriving.deadline = isUploadRoute(request) ? Infinity : inTime();
    }
    done();
  });
  instance.addHook('onResponse', ({ raw }, _reply, done) => {
    const arriving = connections.get(raw.socket);
    if (arriving?.raw === raw) {
      if (raw.complete) arriving.raw = undefined;
      else arriving.deadline = Math.min(inTime(), arriving.deadline);
    }
    done();
  });
  const timer = setInterval(() => {
    for (const [socket, arriving] of connections) {
      if (arriving.raw?.complete) arriving.raw = undefined;
      if (arriving.raw === undefined || performance.now() <= arriving.deadline) continue;
      arriving.raw = undefined;
      instance.server.emit('clientError', late(), socket);
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
