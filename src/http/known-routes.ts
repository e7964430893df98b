import type { FastifyInstance, FastifyRequest } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { badRequest, Problem } from './problem.js';
import { queryFault } from './query-string.js';

const KNOWN = Object.freeze({});

/** Longer than any URL that fits into the headers: such an id is simply not found. */
export const MAX_PARAM_LENGTH = 32_768;

/** What a request target may consist of (RFC 3986); Node lets raw bytes pass. */
const NOT_URI = /[^\x21-\x7e]/;

/**
 * Which methods a path has. Fastify finds a route by method first and so takes a wrong method for an unknown path; this
 * is the same router, filled from the same routes, to be asked about every method.
 */
export class KnownRoutes {
  private readonly methods = new Set<HTTPMethod>();
  private readonly router = findMyWay({
    maxParamLength: MAX_PARAM_LENGTH,
    querystringParser: () => ({}),
  });

  /** Wildcards are left out: that a page may be served for any path does not make every path known. */
  add(methods: string | string[], url: string): void {
    if (url.includes('*')) return;
    for (const method of [methods].flat() as HTTPMethod[]) {
      if (this.router.hasRoute(method, url)) continue;
      this.methods.add(method);
      this.router.on(method, url, () => undefined, KNOWN);
    }
  }

  /** The methods of the path, sorted; none for an unknown path. */
  methodsOf(path: string): string[] {
    return [...this.methods].filter((method) => this.has(method, path)).sort();
  }

  private has(method: HTTPMethod, path: string): boolean {
    const found = this.router.find(method, path);
    if (found === null || found.store !== KNOWN) return false;
    return Object.values(found.params).every((value) => value !== '');
  }
}

/**
 * Registers the hook that decides whether there is anything at the path at all, before body, credential or address are
 * looked at: 400 for a target that is no URI, 404 `route_not_found`, 405 with `Allow`, 400 for the query string.
 */
export function installRouteCheck(fastify: FastifyInstance): KnownRoutes {
  const routes = new KnownRoutes();
  fastify.addHook('onRoute', ({ method, url }) => routes.add(method, url));
  fastify.addHook('onRequest', (request, _reply, done) => done(routeFault(request, routes)));
  return routes;
}

function routeFault(request: FastifyRequest, routes: KnownRoutes): Problem | undefined {
  const url = request.raw.url ?? '';
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  if (NOT_URI.test(url) || path.includes('%00')) {
    return badRequest('invalid_path', 'The path must be valid percent-encoded UTF-8 without NUL.');
  }
  if (request.is404 || hasEmptyParameter(request.params)) return missing(request, routes, path);
  return queryFault(request.query);
}

function missing(request: FastifyRequest, routes: KnownRoutes, path: string): Problem {
  const methods = routes.methodsOf(path);
  if (methods.length > 0 && !methods.includes(request.method)) {
    return new Problem(405, 'method_not_allowed', 'This path has no such method.', {
      headers: { Allow: methods.join(', ') },
    });
  }
  return new Problem(404, 'route_not_found', 'There is nothing at this path.');
}

/** The router takes `//` for a parameter without a value. */
function hasEmptyParameter(params: unknown): boolean {
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value === '' && name !== '*') return true;
  }
  return false;
}
