// The entry of the package: the client of the API. What protects other APIs is in `./verify`, `./fastify`, `./express`, `./nest`.

export { etagOf } from './call.js';
export { type ClavigerClient, type ClientOptions, createClient } from './client.js';
export { ndjson } from './ndjson.js';
export type { Page, Pages } from './pages.js';
export { ProblemError } from './problem.js';
export type { RetryOptions } from './retry.js';
export type * from './generated/types.gen.js';
