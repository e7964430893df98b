import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { badRequest, Problem } from './problem.js';
import { parseStrictForm } from './query-string.js';
import { routeOf } from './route.js';
import { parseStrictJson } from './strict-json.js';

/** The largest body, in bytes. */
export const BODY_LIMIT = 65_536;

/** The largest file, in bytes. */
export const UPLOAD_LIMIT = 67_108_864;
/** What a file may be. */
export const UPLOAD_TYPES = ['text/csv', 'application/x-ndjson'];

const JSON_SUFFIX = /^application\/[\w.-]+\+json(?:\s*;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** Routes under here take forms (RFC 6749 and its family) and nothing else. */
const FORM_ROUTES = '/oauth/';
/** Parameters that a form may have several times, by route. */
const LISTS: Readonly<Record<string, ReadonlySet<string>>> = {
  '/oauth/token': new Set(['resource']), // RFC 8707
};
/** These take a file and nothing else; all others take JSON and nothing else. */
const UPLOAD_ROUTES = new Set(['/v1/organizations/:organizationId/users/import']);

const WANTED = {
  form: 'The body must be a form, in UTF-8.',
  file: 'The body must be text/csv or application/x-ndjson, in UTF-8.',
  json: 'The body must be application/json in UTF-8.',
} as const;
type Kind = keyof typeof WANTED;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The only parsers of the server. Every other content type, or none with a body, is 415; so is JSON where a form is
 * wanted and the other way round. An empty body is no body, whatever its content type says. A file is not read here: the
 * body is the stream itself, so that nothing of it is received for somebody whom the guards refuse.
 */
export function installBodyParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer' as const, bodyLimit: BODY_LIMIT };
  fastify.addContentTypeParser('application/json', options, jsonParser);
  fastify.addContentTypeParser(JSON_SUFFIX, options, jsonParser);
  fastify.addContentTypeParser('application/x-www-form-urlencoded', options, formParser);
  fastify.addContentTypeParser(UPLOAD_TYPES, fileParser);
}

/** Whether the route takes a file, which may take its time to arrive. */
export function isUploadRoute(request: FastifyRequest): boolean {
  return UPLOAD_ROUTES.has(routeOf(request).url);
}

/** 413 for a file. */
export function fileTooLarge(): Problem {
  return new Problem(413, 'payload_too_large', 'The file may have at most 64 MiB.');
}

/** Fastify's callback style: what is thrown in here becomes the answer. */
type Done = (error: Error | null, body?: unknown) => void;

function jsonParser(request: FastifyRequest, body: Buffer, done: Done): void {
  answer(done, () => {
    requireKind(request, 'json');
    return body.length === 0 ? undefined : parseStrictJson(textOf(request, body));
  });
}

function formParser(request: FastifyRequest, body: Buffer, done: Done): void {
  answer(done, () => {
    requireKind(request, 'form');
    return withoutEmpty(parseStrictForm(textOf(request, body), LISTS[routeOf(request).url]));
  });
}

/** A parameter without a value counts as left out (RFC 6749 section 3.2). */
function withoutEmpty(form: Record<string, string | string[]>): Record<string, string | string[]> {
  const filled = Object.create(null) as Record<string, string | string[]>;
  for (const name in form) if (form[name] !== '') filled[name] = form[name]!;
  return filled;
}

function fileParser(request: FastifyRequest, source: IncomingMessage, done: Done): void {
  answer(done, () => {
    requireKind(request, 'file');
    requirePlainUtf8(request);
    if (Number(request.headers['content-length'] ?? 0) > UPLOAD_LIMIT) throw fileTooLarge();
    return source;
  });
}

function requireKind(request: FastifyRequest, kind: Kind): void {
  const wanted = wantedKind(request);
  if (kind !== wanted) throw unsupported(WANTED[wanted]);
}

function wantedKind(request: FastifyRequest): Kind {
  if (isUploadRoute(request)) return 'file';
  return routeOf(request).url.startsWith(FORM_ROUTES) ? 'form' : 'json';
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

function requirePlainUtf8({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw unsupported('The body must not be compressed.');
  }
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported('The body must be in UTF-8.');
  }
}

function textOf(request: FastifyRequest, body: Buffer): string {
  requirePlainUtf8(request);
  try {
    return utf8.decode(body);
  } catch {
    throw badRequest('invalid_utf8', 'The body must be valid UTF-8.');
  }
}

function unsupported(detail: string): Problem {
  return new Problem(415, 'unsupported_media_type', detail);
}
