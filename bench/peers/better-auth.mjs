// better-auth's API keys the way its manual guards a route with them; no limits of requests.
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Fastify from 'fastify';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { ready } from './ready.mjs';

const TOKENS = Number(process.env.TOKENS);

const auth = betterAuth({
  baseURL: 'http://127.0.0.1',
  secret: randomBytes(32).toString('base64'),
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});
await (await getMigrations(auth.options)).runMigrations();
const person = {
  name: 'Bench',
  email: 'bench@example.com',
  password: randomBytes(16).toString('hex'),
};
const { user } = await auth.api.signUpEmail({ body: person });

const app = Fastify();
app.get('/me', async (request, reply) => {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const { valid, key } =
    token === undefined ? { valid: false } : await auth.api.verifyApiKey({ body: { key: token } });
  if (!valid) return reply.code(401).send({ code: 'unauthorized' });
  return key;
});
app.post('/keys', async (request, reply) => {
  const { name } = request.body;
  return reply.code(201).send(await auth.api.createApiKey({ body: { name, userId: user.id } }));
});

const tokens = [];
for (let n = 0; n < TOKENS; n += 1) {
  const { key } = await auth.api.createApiKey({ body: { name: `Key ${n}`, userId: user.id } });
  tokens.push(key);
}
await app.listen({ port: 0, host: '127.0.0.1' });
ready(app.server, { tokens });
