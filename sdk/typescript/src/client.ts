import { Caller } from './call.js';
import { createClient as createHttpClient } from './generated/client/index.js';
import { resources } from './generated/resources.gen.js';
import { toProblemError } from './problem.js';
import { retryingFetch, type RetryOptions, wait } from './retry.js';

/** Where the server is, and who asks. */
export interface ClientOptions extends RetryOptions {
  /** Where the server is: `https://claviger.example.com`. */
  baseUrl: string;
  /** The token of a key or a session, an access token, or what answers one for each request. */
  token?: string | (() => string | Promise<string>);
  /** Instead of the platform's `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** Every operation of the API, by resource: `client.serviceAccounts.create(...)`. */
export type ClavigerClient = ReturnType<typeof resources>;

/**
 * A client for one server and one credential. Refusals are thrown as ProblemError, network failures as what `fetch` throws;
 * 429 and 503 are retried where the request may happen twice, and creating requests get an `Idempotency-Key` by themselves.
 */
export function createClient({ baseUrl, token, fetch, ...retries }: ClientOptions): ClavigerClient {
  const http = createHttpClient({
    baseUrl: baseUrl.replace(/\/+$/, ''),
    auth: async ({ scheme }) =>
      scheme === 'bearer' ? (typeof token === 'function' ? await token() : token) : undefined,
    fetch: retryingFetch(retries, {
      fetch: fetch ?? ((request) => globalThis.fetch(request)),
      wait,
      random: Math.random,
    }) as typeof globalThis.fetch,
  });
  http.interceptors.error.use((error, response: Response | undefined) =>
    response ? toProblemError(error, response) : error,
  );
  return resources(new Caller(http));
}
