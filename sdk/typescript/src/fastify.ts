import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { AccessDeniedError, requireAccess } from './protect/access.js';
import type { TokenVerifier, VerifiedToken } from './protect/verified-token.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that the request presented; null where no route asked for one. */
    token: VerifiedToken | null;
  }
  interface FastifyContextConfig {
    /** The permission that the route takes, like `reports:download`; `true`: any good token. */
    permission?: string | true;
  }
}

/** Options of the plugin. */
export interface ProtectOptions {
  verifier: TokenVerifier;
}

/**
 * Protects the routes that name a `permission` in their `config`; refusals leave as problem+json. `request.token` tells who
 * calls. Keys that are bound to networks are compared with `request.ip`: behind a proxy set Fastify's `trustProxy`.
 */
export const protect = fp(
  (fastify: FastifyInstance, { verifier }: ProtectOptions, done: () => void): void => {
    fastify.decorateRequest('token', null);
    fastify.addHook('onRequest', async (request, reply) => {
      const { permission } = request.routeOptions.config;
      if (permission === undefined) return;
      await admit(verifier, request, reply, permission === true ? undefined : permission);
    });
    done();
  },
  { name: 'claviger-protect', fastify: '5.x' },
);

async function admit(
  verifier: TokenVerifier,
  request: FastifyRequest,
  reply: FastifyReply,
  permission: string | undefined,
): Promise<void> {
  const { authorization } = request.headers;
  try {
    request.token = await requireAccess(verifier, { authorization, ip: request.ip }, permission);
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    if (error.status >= 500) request.log.error({ err: error.cause }, error.message);
    await reply.code(error.status).headers(error.headers).send(JSON.stringify(error.body));
  }
}
