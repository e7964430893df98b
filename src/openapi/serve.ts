import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { PAGE_POLICY } from '../http/security-headers.js';
import { buildDocument } from './document.js';

const require = createRequire(import.meta.url);

/** Paths in the page are relative: they hold behind a proxy that adds a prefix, too. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claviger API</title>
<link rel="icon" href="docs/favicon-32x32.png" sizes="32x32" type="image/png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
});
`;

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const ASSET_CACHE = 'public, max-age=3600';

/**
 * Serves `/openapi.json` and Swagger UI at `/docs`, from this server's own files, with no inline script or style. To be
 * called before the application is initialized; the document is built when somebody first asks.
 */
export function serveOpenApi(app: INestApplication, fastify: FastifyInstance): void {
  let document: string | undefined;
  fastify.get('/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(buildDocument(app));
    return reply.type('application/json; charset=utf-8').send(document);
  });
  fastify.get('/docs', (_request, reply) =>
    page(reply).type('text/html; charset=utf-8').send(PAGE),
  );
  fastify.get('/docs/start.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(START),
  );
  for (const [name, type] of Object.entries(ASSETS)) {
    const file = require.resolve(`swagger-ui-dist/${name}`);
    fastify.get(`/docs/${name}`, async (_request, reply) => {
      const content = await readFile(file);
      return reply.type(type).header('Cache-Control', ASSET_CACHE).send(content);
    });
  }
}

function page(reply: FastifyReply): FastifyReply {
  return reply.header('Content-Security-Policy', PAGE_POLICY);
}
