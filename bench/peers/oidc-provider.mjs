// Token introspection by oidc-provider, its tokens in PostgreSQL: opaque ones, issued to clients by their credentials.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import pg from 'pg';
import { ready } from './ready.mjs';

const TOKENS = Number(process.env.TOKENS);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
await pool.query(`CREATE TABLE oidc_payloads (type text, id text, payload jsonb NOT NULL, grant_id text, user_code text,
  uid text, expires_at timestamptz, PRIMARY KEY (type, id))`);
await pool.query('CREATE INDEX ON oidc_payloads (grant_id) WHERE grant_id IS NOT NULL');

const query = async (name, text, values) => (await pool.query({ name, text, values })).rows;
const UNEXPIRED = '(expires_at IS NULL OR expires_at > now())';

/** The interface that the library asks for, one statement a method. */
class PostgresAdapter {
  constructor(type) {
    this.type = type;
  }
  upsert(id, payload, expiresIn) {
    return query(
      'upsert',
      `INSERT INTO oidc_payloads VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
       ON CONFLICT (type, id) DO UPDATE SET payload = $3, grant_id = $4, user_code = $5, uid = $6, expires_at = excluded.expires_at`,
      [this.type, id, payload, payload.grantId, payload.userCode, payload.uid, expiresIn],
    );
  }
  async find(id) {
    const text = `SELECT payload FROM oidc_payloads WHERE type = $1 AND id = $2 AND ${UNEXPIRED}`;
    return (await query('find', text, [this.type, id]))[0]?.payload;
  }
  async findByUid(uid) {
    const text = `SELECT payload FROM oidc_payloads WHERE type = $1 AND uid = $2 AND ${UNEXPIRED}`;
    return (await query('find_by_uid', text, [this.type, uid]))[0]?.payload;
  }
  async findByUserCode(userCode) {
    const text = `SELECT payload FROM oidc_payloads WHERE type = $1 AND user_code = $2 AND ${UNEXPIRED}`;
    return (await query('find_by_user_code', text, [this.type, userCode]))[0]?.payload;
  }
  consume(id) {
    const text = `UPDATE oidc_payloads SET payload = payload || jsonb_build_object('consumed', extract(epoch FROM now())::int)
      WHERE type = $1 AND id = $2`;
    return query('consume', text, [this.type, id]);
  }
  destroy(id) {
    return query('destroy', 'DELETE FROM oidc_payloads WHERE type = $1 AND id = $2', [
      this.type,
      id,
    ]);
  }
  revokeByGrantId(grantId) {
    return query('revoke', 'DELETE FROM oidc_payloads WHERE grant_id = $1', [grantId]);
  }
}

const client = { id: 'bench', secret: randomBytes(32).toString('hex') };
const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
  adapter: PostgresAdapter,
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { ClientCredentials: 24 * 3_600 },
});
server.on('request', provider.callback());

const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
const tokens = [];
for (let n = 0; n < TOKENS; n += 1) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/token`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  if (!response.ok) throw new Error(`/token: ${response.status} ${await response.text()}`);
  tokens.push((await response.json()).access_token);
}
ready(server, { tokens, authorization });
