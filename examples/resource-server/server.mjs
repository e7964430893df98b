// A small reports API that lets in service accounts of a Claviger server whose role grants `reports:download`.
//   CLAVIGER_URL=https://claviger.example.com CLAVIGER_TOKEN=clv_… node server.mjs
//   CLAVIGER_URL=https://claviger.example.com PUBLIC_URL=https://reports.example.com VERIFY=jwt node server.mjs
import { protect } from '@claviger/sdk/fastify';
import { introspectionVerifier, jwtVerifier } from '@claviger/sdk/verify';
import Fastify from 'fastify';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const { CLAVIGER_URL: issuer, CLAVIGER_TOKEN: token, PUBLIC_URL: audience } = process.env;
const REPORTS = fileURLToPath(new URL('reports/', import.meta.url));

const verifier =
  process.env.VERIFY === 'jwt'
    ? jwtVerifier({ issuer, audience })
    : introspectionVerifier({ issuer, token, audience });

const app = Fastify({ logger: { level: 'warn' } });
await app.register(protect, { verifier });

app.get(
  '/reports/:file',
  { config: { permission: 'reports:download' } },
  async (request, reply) => {
    const { file } = request.params;
    if (!(await readdir(REPORTS)).includes(file)) {
      return reply.code(404).send({ title: 'Not Found', status: 404 });
    }
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(createReadStream(REPORTS + file));
  },
);

const url = await app.listen({ port: Number(process.env.PORT ?? 4000), host: '127.0.0.1' });
process.stdout.write(`The reports are at ${url}/reports/sales-2026.csv\n`);
process.once('SIGTERM', () => void app.close());
