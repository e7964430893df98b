import type { FastifyRequest } from 'fastify';
import { type Problem, refused } from '../http/problem.js';

/**
 * Whether a browser sent this request from a page of this server itself, or because a person asked for the address. Both
 * `Sec-Fetch-Site` (Fetch Metadata) and `Origin` (RFC 6454) must say so, where they are given; a request that changes
 * something must have one of them. `same-site` is foreign: a neighbour under the same domain is another server.
 * @param publicOrigin the origin of `PUBLIC_URL`; the request's own `Host`, with the same scheme, is as good
 */
export function isSameOrigin({ method, headers }: FastifyRequest, publicOrigin: string): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  const isSafe = method === 'GET' || method === 'HEAD';
  if (site !== undefined && site !== 'same-origin' && !(isSafe && site === 'none')) return false;
  if (origin !== undefined && origin !== publicOrigin && origin !== originOf(publicOrigin, host)) {
    return false;
  }
  return isSafe || site !== undefined || origin !== undefined;
}

/** 403 `cross_site_request`: nothing was looked up for it, and nothing was done. */
export function crossSite(): Problem {
  return refused(
    'cross_site_request',
    'The session cookie is only for requests from pages of this server; PUBLIC_URL must be the address that browsers show.',
  );
}

/**
 * The scheme is that of `PUBLIC_URL`: behind a proxy that ends TLS every request looks like plain HTTP, and so would a page
 * that somebody on the way has put into a plain connection.
 */
function originOf(publicOrigin: string, host: string | undefined): string | undefined {
  const url = `${new URL(publicOrigin).protocol}//${host ?? ''}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
