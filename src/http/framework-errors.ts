import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemFrom } from './problem-from.js';
import { writeProblem } from './problem.filter.js';
import { type ContextOptions, beginRequest } from './request-context.js';

/**
 * Lets an answer pass that was made below the router, where no hook runs (Fastify's `frameworkErrors`: undecodable URLs).
 * It gets the finished answer and gives the payload that may leave, like an `onSend` hook; it must not throw.
 */
export type Finish = (
  request: FastifyRequest,
  reply: FastifyReply,
  payload: string,
) => Promise<string>;

declare module 'fastify' {
  interface FastifyInstance {
    /** The seam for the audit gate, which puts itself here: `fastify.finish = (…) => …`. Until then answers pass. */
    finish: Finish;
  }
}

/** Registers the seam with the function that lets everything pass. */
export function installFinish(fastify: FastifyInstance): void {
  fastify.decorate('finish', (_request, _reply, payload) => Promise.resolve(payload));
}

/** The `frameworkErrors` handler: such an answer looks like every other, and goes through `fastify.finish`. */
export function frameworkErrorHandler(options: ContextOptions) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    beginRequest(request, reply, options);
    const body = writeProblem(problemFrom(error), request, reply);
    void request.server.finish(request, reply, body).then(
      (payload) => reply.send(payload),
      // Nothing leaves that finish has not let pass.
      () => reply.raw.destroy(),
    );
  };
}
