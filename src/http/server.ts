import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import fastify, { type FastifyInstance } from 'fastify';
import { installBodyDeadline } from './body-deadline.js';
import { BODY_LIMIT, installBodyParsers } from './body-parser.js';
import { clientErrorHandler, installExpectationCheck } from './client-errors.js';
import type { BelowRouterCounter } from './client-errors.js';
import { frameworkErrorHandler, installFinish } from './framework-errors.js';
import { installRouteCheck, MAX_PARAM_LENGTH } from './known-routes.js';
import { installLastingAnswers } from './lasting-answer.js';
import { parseQuery } from './query-string.js';
import { installRequestContext, newRequestId } from './request-context.js';
import { securityHeaders } from './security-headers.js';
import type { Tracing } from '../tracing/tracing.js';

/** All headers of a request together. */
export const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
/** For the longest file; other bodies have a deadline of their own. */
const REQUEST_TIMEOUT_MS = 600_000;
/** Longer than a minute, as load balancers keep their connections for one. */
const KEEP_ALIVE_MS = 65_000;
/** How often Node looks for connections that are too slow: a deadline is kept this precisely. */
const CONNECTIONS_CHECK_MS = 500;
const DRAIN_CHECK_MS = 50;
/** How long requests that have begun may take when the server closes. */
const DRAIN_PATIENCE_MS = 8_800;
/** How long a closing server waits for its clients to go. */
const DRAIN_GRACE_MS = 500;

/** What the server needs to know before there is an application. */
export interface ServerOptions {
  publicUrl: string;
  trustedProxies: readonly string[];
  countBelowRouter: BelowRouterCounter;
  tracing?: Tracing;
}

/**
 * The Fastify instance under Nest, with everything that decides about a request before Nest does: limits and time-outs, the
 * request's context, the route check, the parsers. Its hooks come before any that Nest or the application adds.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const context = {
    trustedProxies: options.trustedProxies,
    headers: securityHeaders(options.publicUrl),
  };
  const instance = fastify({
    bodyLimit: BODY_LIMIT,
    clientErrorHandler: clientErrorHandler(options.countBelowRouter),
    exposeHeadRoutes: true,
    frameworkErrors: frameworkErrorHandler(context),
    genReqId: newRequestId,
    http: {
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestIdHeader: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // While closing, requests on open connections are still answered, and recorded.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: parseQuery },
    // The client's address is our own business: see clientAddress.
    trustProxy: false,
  });
  installExpectationCheck(instance.server, options.countBelowRouter);
  installRequestContext(instance, context);
  options.tracing?.install(instance);
  installBodyDeadline(instance);
  installRouteCheck(instance);
  installBodyParsers(instance);
  installFinish(instance);
  installLastingAnswers(instance);
  installDrain(instance);
  return instance;
}

/**
 * Closing without cutting anybody off. Node would reset all idle connections at once, on which the next request may just be
 * on its way. So at first only no new ones are accepted; requests on the open ones are answered, with `Connection: close`,
 * and whoever is active goes away by itself. Then Node's close begins; it does not close connections that fall idle later,
 * which is done here until none is left.
 */
function installDrain(instance: FastifyInstance): void {
  const { server } = instance;
  let closing = false;
  instance.addHook('preClose', (done) => {
    closing = true;
    void untilQuiet(server).then(() => {
      const timer = setInterval(() => server.closeIdleConnections(), DRAIN_CHECK_MS);
      // A client that stalls must not keep the trail from being written to its end.
      const patience = setTimeout(() => server.closeAllConnections(), DRAIN_PATIENCE_MS);
      server.once('close', () => {
        clearInterval(timer);
        clearTimeout(patience);
      });
      done();
    });
  });
  instance.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('Connection', 'close');
    done(null, payload);
  });
}

/** Stops listening, and waits until there is no connection, at most for the grace. */
async function untilQuiet(server: Server): Promise<void> {
  if (!server.listening) return;
  NetServer.prototype.close.call(server);
  const deadline = performance.now() + DRAIN_GRACE_MS;
  const connections = promisify(server.getConnections.bind(server));
  while ((await connections()) > 0 && performance.now() < deadline) {
    await delay(DRAIN_CHECK_MS);
  }
}
