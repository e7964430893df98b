import type { Client } from './generated/client/index.js';
import { Pages, type Page } from './pages.js';

/** What any call takes beside its input. */
export interface CallOptions {
  /** Ends the call, retries included. */
  signal?: AbortSignal;
}

/** What the generated types say of one operation's request. */
interface RequestData {
  body?: unknown;
  path?: unknown;
  query?: unknown;
  headers?: unknown;
  url: string;
}

type Part<T> = [NonNullable<T>] extends [never] ? object : NonNullable<T>;
type Body<D extends RequestData> = D extends { body: infer B }
  ? { body: B }
  : [NonNullable<D['body']>] extends [never]
    ? object
    : { body?: D['body'] };
type Conditions<H> = ('Idempotency-Key' extends keyof H
  ? {
      /** Instead of a random one: the same value makes the same request happen once, however often it is sent. */
      idempotencyKey?: string;
    }
  : object) &
  ('If-Match' extends keyof H
    ? {
        /** Refuses (412) when the resource is no longer the one with this `ETag`. */
        ifMatch?: string;
      }
    : object);

/** The input of an operation, flat: its path and query parameters by name, `body`, and what goes into headers. */
export type Input<D extends RequestData> = Part<D['path']> &
  Part<D['query']> &
  Body<D> &
  Conditions<NonNullable<D['headers']>>;

type Arguments<D extends RequestData> =
  object extends Input<D>
    ? [input?: Input<D>, options?: CallOptions]
    : [input: Input<D>, options?: CallOptions];

/** What resources.gen.ts knows of an operation. */
export interface Traits {
  /** The names of its path parameters. */
  path: string[];
  /** Whether it documents `Idempotency-Key`. */
  idempotencyKey: boolean;
}

type Operation = (options: never) => unknown;
type AnyInput = Record<string, unknown> & { body?: unknown };

/** Makes methods of generated operations. Every method throws a ProblemError for a refusal of the server. */
export class Caller {
  constructor(private readonly client: Client) {}

  /** A method that answers with what the server answers. */
  one<D extends RequestData, R>(operation: Operation, traits: Traits) {
    return (...[input, options]: Arguments<D>): Promise<R> =>
      this.send<R>(operation, traits, (input ?? {}) as AnyInput, options);
  }

  /** A method whose answer can be awaited (one page) and iterated (every item from there on). */
  pages<D extends RequestData, P extends Page<unknown>>(operation: Operation, traits: Traits) {
    return (...[input, options]: Arguments<D>): Pages<P> =>
      new Pages<P>((after) => {
        const query = after === undefined ? input : { ...input, after };
        return this.send<P>(operation, traits, (query ?? {}) as AnyInput, options);
      });
  }

  /** A method that answers with the bytes as they come. */
  stream<D extends RequestData>(operation: Operation, traits: Traits) {
    return (...[input, options]: Arguments<D>): Promise<ReadableStream<Uint8Array>> =>
      this.send(operation, traits, (input ?? {}) as AnyInput, { ...options, parseAs: 'stream' });
  }

  private async send<R>(
    operation: Operation,
    traits: Traits,
    input: AnyInput,
    options: CallOptions & { parseAs?: 'stream' } = {},
  ): Promise<R> {
    const { body, idempotencyKey, ifMatch, ...parameters } = input;
    const isPath = ([name]: [string, unknown]) => traits.path.includes(name);
    const entries = Object.entries(parameters);
    const headers = {
      ...(traits.idempotencyKey
        ? { 'Idempotency-Key': (idempotencyKey as string | undefined) ?? randomKey() }
        : {}),
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch as string }),
    };
    const answer = (await operation({
      client: this.client,
      throwOnError: true,
      path: Object.fromEntries(entries.filter(isPath)),
      query: Object.fromEntries(entries.filter((entry) => !isPath(entry))),
      headers,
      ...(body === undefined ? {} : { body }),
      ...options,
    } as never)) as { data: R; response: Response };
    const { headers: told } = answer.response;
    if (!told.has('Content-Type')) return undefined as R;
    rememberTag(answer.data, told.get('ETag'));
    return answer.data;
  }
}

/** Beside the answers, not in them: what is sent back or kept as JSON stays what the API says. */
const tags = new WeakMap<object, string>();

function rememberTag(data: unknown, tag: string | null): void {
  if (tag !== null && typeof data === 'object' && data !== null) tags.set(data, tag);
}

/**
 * The `ETag` that a resource came with, for `ifMatch`. Of the very object that a method answered: undefined for a copy, for items
 * of a list, and for what has no tag.
 */
export function etagOf(resource: object): string | undefined {
  return tags.get(resource);
}

/** 128 random bits. Not `crypto.randomUUID`, which browsers have on https only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
