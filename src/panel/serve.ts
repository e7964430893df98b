import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { PAGE_POLICY } from '../http/security-headers.js';

/** What `npm run build:web` makes; the same place from src/ and from dist/. */
const BUILT = join(import.meta.dirname, '../../web/dist');
const DOCUMENT = 'index.html';

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

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Compressed copies that the build may have made, best first. */
const ENCODINGS = { br: '.br', gzip: '.gz' } as const;

/** Files under `panel/assets` have their content's hash in their name. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Icon and theme script: small, and without a hash. */
const SHORT = 'public, max-age=3600';

/**
 * Serves the settings panel at `/`: its document for every page of it, and its files under `/panel/`, each by its own
 * route, compressed when it was built. To be called before the application is initialized. Does nothing where the panel
 * has not been built.
 */
export function servePanel(fastify: FastifyInstance): void {
  if (!existsSync(join(BUILT, DOCUMENT))) return;
  const files = new Set(
    readdirSync(BUILT, { recursive: true, encoding: 'utf8' }).map((name) =>
      name.replaceAll('\\', '/'),
    ),
  );
  for (const path of PAGES) {
    fastify.get(path, (request, reply) =>
      send(request, reply.header('Content-Security-Policy', PAGE_POLICY), DOCUMENT, files),
    );
  }
  for (const name of files) {
    if (!name.startsWith('panel/') || !(extname(name) in TYPES)) continue;
    const cacheControl = name.startsWith('panel/assets/') ? IMMUTABLE : SHORT;
    fastify.get(`/${name}`, (request, reply) =>
      send(request, reply.header('Cache-Control', cacheControl), name, files),
    );
  }
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  files: ReadonlySet<string>,
): Promise<FastifyReply> {
  const made = Object.entries(ENCODINGS).filter(([, suffix]) => files.has(name + suffix));
  const [encoding, suffix] = chooseEncoding(request, made) ?? [undefined, ''];
  const content = await readFile(join(BUILT, name + suffix));
  if (encoding !== undefined) reply.header('Content-Encoding', encoding);
  return reply
    .header('Vary', 'Accept-Encoding')
    .type(TYPES[extname(name)] ?? 'application/octet-stream')
    .send(content);
}

function chooseEncoding(
  request: FastifyRequest,
  made: [string, string][],
): [string, string] | undefined {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined || accepted === '*' || made.length === 0) return undefined;
  const chosen = negotiate(
    accepted,
    made.map(([encoding]) => encoding),
  );
  return made.find(([encoding]) => encoding === chosen);
}
