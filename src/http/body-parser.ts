import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badRequest, Problem } from './problem.js';
import { parseStrictForm } from './query-string.js';
import { parseStrictJson } from './strict-json.js';

/** The largest body, in bytes. */
export const BODY_LIMIT = 65_536;

const JSON_SUFFIX = /^application\/[\w.-]+\+json(?:\s*;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** Routes under here take forms (RFC 6749 and its family) and nothing else; all others take JSON and nothing else. */
const FORM_ROUTES = '/oauth/';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The only two parsers of the server. Every other content type, or none with a body, is 415; so is JSON where a form is
 * wanted and the other way round. An empty body is no body, whatever its content type says.
 */
export function installBodyParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer' as const, bodyLimit: BODY_LIMIT };
  fastify.addContentTypeParser('application/json', options, jsonParser);
  fastify.addContentTypeParser(JSON_SUFFIX, options, jsonParser);
  fastify.addContentTypeParser('application/x-www-form-urlencoded', options, formParser);
}

/** Fastify's callback style: what is thrown in here becomes the answer. */
type Done = (error: Error | null, body?: unknown) => void;

function jsonParser(request: FastifyRequest, body: Buffer, done: Done): void {
  answer(done, () => {
    if (isFormRoute(request)) throw unsupported('The body must be a form, in UTF-8.');
    return body.length === 0 ? undefined : parseStrictJson(textOf(request, body));
  });
}

function formParser(request: FastifyRequest, body: Buffer, done: Done): void {
  answer(done, () => {
    if (!isFormRoute(request)) throw unsupported('The body must be application/json in UTF-8.');
    return parseStrictForm(textOf(request, body));
  });
}

function answer(done: Done, parse: () => unknown): void {
  let body: unknown;
  try {
    body = parse();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, body);
}

function isFormRoute(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith(FORM_ROUTES) ?? false;
}

function textOf({ headers }: FastifyRequest, body: Buffer): string {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw unsupported('The body must not be compressed.');
  }
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported('The body must be in UTF-8.');
  }
  try {
    return utf8.decode(body);
  } catch {
    throw badRequest('invalid_utf8', 'The body must be valid UTF-8.');
  }
}

function unsupported(detail: string): Problem {
  return new Problem(415, 'unsupported_media_type', detail);
}
