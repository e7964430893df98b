import type { FastifyInstance, FastifyRequest } from 'fastify';
import { unavailable } from '../http/problem.js';

/** What a process works off within some three tenths of a second; more would only wait for longer than anybody does. */
const MAX_UNDER_WAY = 2_000;

declare module 'fastify' {
  interface FastifyRequest {
    /** Refused because too many were under way: nothing was decided, and its answer has no event. */
    isTooMuch?: boolean;
  }
}

/**
 * Registers the hook that refuses a request with 503 while 2,000 that `isAudited` are under way, before anything is done for it.
 * A request counts from when all of it is there, so that whoever sends slowly takes nobody's place, until its answer is out.
 */
export function installUnderWay(
  fastify: FastifyInstance,
  isAudited: (request: FastifyRequest) => boolean,
): void {
  let underWay = 0;
  fastify.addHook('preValidation', (request, reply, done) => {
    if (!isAudited(request)) return done();
    if (underWay >= MAX_UNDER_WAY) {
      request.isTooMuch = true;
      const detail = 'Too many requests are under way. Nothing has been done: try again.';
      return done(unavailable('audit_unavailable', detail));
    }
    underWay += 1;
    // Of the answer itself: the hooks of Fastify do not hear of a client that has gone away.
    reply.raw.once('close', () => (underWay -= 1));
    done();
  });
}
