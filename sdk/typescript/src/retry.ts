/** How refusals that pass are waited out. */
export interface RetryOptions {
  /** How often a request is sent again at most. Default 3. */
  retries?: number;
  /** The longest wait before one retry; a server that asks for more gets its refusal through. Default 30. */
  maxDelaySeconds?: number;
}

/** What the outside world is to retries: replaced in tests. */
export interface Surroundings {
  fetch: typeof globalThis.fetch;
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
}

const FIRST_DELAY_MS = 250;

/**
 * `fetch` that sends a request again when it is answered 429 or 503, after `Retry-After` (RFC 9110 §10.2.3) or else twice as
 * long each time, a little more by chance so that clients do not come back together. Only requests that may happen twice:
 * GET and HEAD, and those with an `Idempotency-Key`.
 */
export function retryingFetch(
  { retries = 3, maxDelaySeconds = 30 }: RetryOptions,
  { fetch, wait, random }: Surroundings,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const mayRepeat =
      ['GET', 'HEAD'].includes(request.method) || request.headers.has('Idempotency-Key');
    const attempts = mayRepeat ? retries : 0;
    for (let attempt = 0; ; attempt += 1) {
      const isLast = attempt >= attempts;
      const response = await fetch(isLast ? request : request.clone());
      if (isLast || (response.status !== 429 && response.status !== 503)) return response;
      const asked = retryAfterMs(response.headers.get('Retry-After'), Date.now());
      const limit = maxDelaySeconds * 1000;
      if (asked !== undefined && asked > limit) return response;
      const delay = asked ?? Math.min(FIRST_DELAY_MS * 2 ** attempt, limit);
      await response.body?.cancel();
      await wait(delay + random() * FIRST_DELAY_MS, request.signal);
    }
  };
}

/** Milliseconds that `Retry-After` asks for, given as seconds or as a date; undefined when it says neither. */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
