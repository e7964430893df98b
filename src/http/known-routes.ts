import type { FastifyInstance, FastifyRequest } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { badRequest, Problem } from './problem.js';
import { queryFault } from './query-string.js';

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
  /** Every route's, as Fastify writes them: `/things/:thingId`. */
  private readonly urls = new Set<string>();
  /** By a route's URL: values of its parameters that are words of another route, `import` beside `/things/import`. */
  private readonly words = new Map<string, Record<string, string>[]>();
  private readonly router = findMyWay({
    maxParamLength: MAX_PARAM_LENGTH,
    querystringParser: () => ({}),
  });

  /** Wildcards are left out: that a page may be served for any path does not make every path known. */
  add(methods: string | string[], url: string): void {
    if (url.includes('*')) return;
    this.addUrl(url);
    for (const method of [methods].flat() as HTTPMethod[]) {
      if (this.router.hasRoute(method, url)) continue;
      this.methods.add(method);
      this.router.on(method, url, () => undefined, { url });
    }
  }

  /** The methods of the path, sorted; none for an unknown path. */
  methodsOf(path: string): string[] {
    return [...this.methods].filter((method) => this.has(method, path)).sort();
  }

  /** Whether a path that the router has found to fit a route is the other one's that has a word where this has a parameter. */
  isOfAnother(url: string, params: unknown): boolean {
    const given = params as Record<string, string>;
    return (
      this.words
        .get(url)
        ?.some((words) => Object.entries(words).every(([name, word]) => given[name] === word)) ??
      false
    );
  }

  private addUrl(url: string): void {
    if (this.urls.has(url)) return;
    for (const other of this.urls) {
      this.addWords(url, other);
      this.addWords(other, url);
    }
    this.urls.add(url);
  }

  private addWords(url: string, other: string): void {
    const words = wordsFor(url, other);
    if (words !== undefined) this.words.set(url, [...(this.words.get(url) ?? []), words]);
  }

  private has(method: HTTPMethod, path: string): boolean {
    const found = this.router.find(method, path);
    if (found === null) return false;
    const { url } = found.store as { url?: string };
    if (url === undefined || this.isOfAnother(url, found.params)) return false;
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
  const { is404, params, context } = request;
  if (is404 || hasEmptyParameter(params) || routes.isOfAnother(context.route.url, params)) {
    return missing(request, routes, path);
  }
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

/** What the parameters of `url` are in `other`, if that has words in the place of some and is the same otherwise. */
function wordsFor(url: string, other: string): Record<string, string> | undefined {
  const parts = url.split('/');
  const others = other.split('/');
  if (parts.length !== others.length) return undefined;
  const differing = parts.flatMap((part, at) => (part === others[at] ? [] : [[part, others[at]!]]));
  const isWord = ([part, word]: string[]) => part!.startsWith(':') && !word!.startsWith(':');
  if (differing.length === 0 || !differing.every(isWord)) return undefined;
  return Object.fromEntries(differing.map(([part, word]) => [part!.slice(1), word!]));
}

/** The router takes `//` for a parameter without a value. */
function hasEmptyParameter(params: unknown): boolean {
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value === '' && name !== '*') return true;
  }
  return false;
}
