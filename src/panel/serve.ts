import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_POLICY } from '../http/security-headers.js';

/** What `npm run build:web` makes; the same place from src/ and from dist/. */
const BUILT = join(import.meta.dirname, '../../web/dist');

/** Addresses that the panel's own router knows; all of them are answered with its one document. */
const PAGES = [
  '/',
  '/login',
  '/setup',
  '/invitation',
  '/password-reset',
  '/profile',
  '/organizations',
  '/organizations/*',
];

/** Files under this path have their content's hash in their name. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Icon and theme script: small, and without a hash. */
const SHORT = 'public, max-age=3600';

/**
 * Serves the settings panel at `/`: its document for every page of it, and its files under `/panel/`, compressed when it was
 * built. To be called before the application is initialized. Does nothing where the panel has not been built.
 */
export function servePanel(fastify: FastifyInstance): void {
  if (!existsSync(join(BUILT, 'index.html'))) return;
  fastify.register(fastifyStatic, {
    root: BUILT,
    serve: false,
    preCompressed: true,
    cacheControl: false,
  });
  for (const path of PAGES) {
    fastify.get(path, (_request, reply) =>
      file(reply, 'index.html', 'no-store').header('Content-Security-Policy', PAGE_POLICY),
    );
  }
  fastify.get('/panel/*', (request, reply) => {
    const path = (request.params as { '*': string })['*'];
    return file(reply, `panel/${path}`, path.startsWith('assets/') ? IMMUTABLE : SHORT);
  });
}

function file(reply: FastifyReply, name: string, cacheControl: string): FastifyReply {
  return reply
    .header('Cache-Control', cacheControl)
    .header('Vary', 'Accept-Encoding')
    .sendFile(name);
}
