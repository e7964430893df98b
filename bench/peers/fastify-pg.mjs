// The least that looks keys up in a database: the token's SHA-256, one prepared SELECT, an answer. It writes no trail, has
// no roles, no expiry and no limits. `POST /keys` is one INSERT for whoever asks.
import Fastify from 'fastify';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { ready } from './ready.mjs';

const KEYS = Number(process.env.KEYS);
const TOKENS = Number(process.env.TOKENS);
const FIND = {
  name: 'find_key',
  text: 'SELECT id, name, account_id, account_name, organization_id, organization_name, role, permissions, created_at FROM keys WHERE hash = $1',
};
const INSERT = {
  name: 'insert_key',
  text: `INSERT INTO keys (id, name, hash, account_id, account_name, organization_id, organization_name, role, permissions)
    VALUES ($1, $2, $3, 'account', 'Load', 'organization', 'Bench', 'viewer', '{}') RETURNING created_at`,
};

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = Fastify();

app.get('/me', async (request, reply) => {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const { rows } = token === undefined ? { rows: [] } : await pool.query(FIND, [hashOf(token)]);
  const [key] = rows;
  if (key === undefined) return reply.code(401).send({ code: 'unauthorized' });
  return {
    type: 'serviceAccount',
    id: key.account_id,
    name: key.account_name,
    organization: { id: key.organization_id, name: key.organization_name },
    key: { id: key.id, name: key.name, createdAt: key.created_at, expiresAt: null },
    role: key.role,
    permissions: key.permissions,
  };
});

app.post('/keys', async (request, reply) => {
  const [id, token] = [randomUUID(), newToken()];
  const { name } = request.body;
  const { rows } = await pool.query(INSERT, [id, name, hashOf(token)]);
  return reply.code(201).send({ id, name, token, createdAt: rows[0].created_at });
});

const tokens = await seed();
await app.listen({ port: 0, host: '127.0.0.1' });
ready(app.server, { tokens });

function newToken() {
  return `bench_${randomBytes(32).toString('base64url')}`;
}

function hashOf(token) {
  return createHash('sha256').update(token).digest();
}

/** Makes the keys; the tokens of some of them are answered. */
async function seed() {
  await pool.query(`CREATE TABLE keys (id text PRIMARY KEY, name text NOT NULL, hash bytea NOT NULL UNIQUE,
    account_id text NOT NULL, account_name text NOT NULL, organization_id text NOT NULL, organization_name text NOT NULL,
    role text NOT NULL, permissions text[] NOT NULL, created_at timestamptz(3) NOT NULL DEFAULT now())`);
  const some = Array.from({ length: TOKENS }, newToken);
  await pool.query(
    `INSERT INTO keys SELECT gen_random_uuid()::text, 'Default', coalesce(t.hash, sha256(convert_to(n::text, 'UTF8'))),
      gen_random_uuid()::text, 'Integration ' || n, gen_random_uuid()::text, 'Bench', 'viewer',
      '{users:read,roles:read,service-accounts:read,keys:read}'
    FROM generate_series(1, $1::int) AS n LEFT JOIN unnest($2::bytea[]) WITH ORDINALITY AS t(hash, n) USING (n)`,
    [Math.max(KEYS, TOKENS), some.map(hashOf)],
  );
  await pool.query('VACUUM ANALYZE keys');
  return some;
}
