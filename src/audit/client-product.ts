import { cleanText } from './event.js';

const MAX_LENGTH = 64;
const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_LENGTH = 256;
/** The first product of a User-Agent (RFC 9110 section 10.1.5). */
const PRODUCT = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?/;

/** What stands for a client that does not say what it is. */
export const UNKNOWN_CLIENT = 'unknown';

const remembered = new Map<string, string>();

/** The client by its `User-Agent`: the first product, such as `python-requests/2.31`. Never a token that was sent as one. */
export function clientProduct(userAgent: string | null): string {
  if (userAgent === null) return UNKNOWN_CLIENT;
  // What is longer would make a large memory of what clients choose.
  if (userAgent.length > MAX_REMEMBERED_LENGTH) return productOf(userAgent);
  let product = remembered.get(userAgent);
  if (product === undefined) {
    product = productOf(userAgent);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(userAgent, product);
  }
  return product;
}

function productOf(userAgent: string): string {
  return PRODUCT.exec(cleanText(userAgent, 256))?.[0].slice(0, MAX_LENGTH) ?? UNKNOWN_CLIENT;
}
