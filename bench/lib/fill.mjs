import { newId } from '../../dist/crypto/id.js';

/**
 * Fills a database of Claviger past the server, which must not run: accounts, other organizations, keys that nobody has the
 * tokens of, and the trail. The hashes of the trail are not chained, but every chain goes on after its last event.
 * @param {{ query: (text: string, values?: unknown[]) => Promise<{ rows: any[] }> }} database
 * @param {object} size
 * @param {string} size.organizationId the organization that is there; it gets half of the keys and of the events
 * @param {number} size.accounts of that organization, added to those it has
 * @param {number} size.organizations others, with one account each; at least 1
 * @param {number} size.keys
 * @param {number} size.events
 * @param {number} size.rowsPerStatement
 * @returns {Promise<{ accountIds: string[] }>} the accounts made for that organization
 */
export async function fill(database, size) {
  const { organizationId, keys, events, rowsPerStatement } = size;
  const others = Array.from({ length: size.organizations }, () => newId('org'));
  const own = Array.from({ length: size.accounts }, (_, n) => account(organizationId, n));
  const foreign = others.map(account);
  const inParts = (rows, insert) => eachPart(rows, rowsPerStatement, insert);

  await raiseLimits(database, organizationId);
  await inParts(others, (part) => insertOrganizations(database, part));
  await inParts([...own, ...foreign], (part) => insertAccounts(database, part));
  const owners = Array.from({ length: keys }, (_, n) => {
    const from = n % 2 === 0 ? own : foreign;
    return from[(n >> 1) % from.length];
  });
  await inParts(owners, (part) => insertKeys(database, part));
  if (events > 0) await insertEvents(database, { own, foreign, events, rowsPerStatement });
  return { accountIds: own.map(({ id }) => id) };
}

function account(organizationId, n) {
  return { organizationId, id: newId('sa'), name: `Integration ${n}` };
}

async function eachPart(rows, length, insert) {
  for (let at = 0; at < rows.length; at += length) await insert(rows.slice(at, at + length));
}

/** Nobody is refused for asking or making too often: that would be measured instead. */
function raiseLimits(database, organizationId) {
  return database.query(
    `UPDATE organizations SET requests_per_minute = 1000000, max_keys_per_service_account = 10000 WHERE id = $1`,
    [organizationId],
  );
}

async function insertOrganizations(database, ids) {
  await database.query(
    `INSERT INTO organizations (id, name) SELECT id, 'Organization ' || id FROM unnest($1::text[]) AS id`,
    [ids],
  );
  await database.query(
    `INSERT INTO roles (organization_id, key, name, built_in, permissions)
     SELECT id, 'viewer', 'Viewer', true, '{}' FROM unnest($1::text[]) AS id`,
    [ids],
  );
  await database.query(
    `INSERT INTO audit_heads (chain, hash) SELECT id, decode(repeat('00', 32), 'hex') FROM unnest($1::text[]) AS id`,
    [ids],
  );
}

function insertAccounts(database, rows) {
  return database.query(
    `INSERT INTO service_accounts (organization_id, id, name, role_key, systems, created_by_type, created_by_name)
     SELECT organization_id, id, name, 'viewer', '{}', 'system', 'System'
     FROM unnest($1::text[], $2::text[], $3::text[]) AS a(organization_id, id, name)`,
    [rows.map((row) => row.organizationId), rows.map((row) => row.id), rows.map((row) => row.name)],
  );
}

function insertKeys(database, owners) {
  return database.query(
    `INSERT INTO keys (organization_id, id, service_account_id, name, token_hash, pepper_version, obfuscated_token, permissions,
       allowed_cidrs, created_by_type, created_by_name)
     SELECT organization_id, id, account_id, 'Default', sha256(convert_to(id, 'UTF8')), 1, 'clv_…' || right(id, 4), '{}', '{}',
       'system', 'System'
     FROM unnest($1::text[], $2::text[], $3::text[]) AS k(organization_id, id, account_id)`,
    [
      owners.map((owner) => owner.organizationId),
      owners.map(() => newId('key')),
      owners.map((owner) => owner.id),
    ],
  );
}

const BODY_END = JSON.stringify({
  targets: [],
  permission: 'users:read',
  method: 'GET',
  route: '/v1/organizations/{organizationId}/users',
  path: '/v1/organizations/org_01h455vb4pex5vsknk084sn02q/users',
  status: 200,
  reason: null,
  ip: '203.0.113.7',
  userAgent: 'integration/1.0',
  requestId: 'req_01h455vb4pex5vsknk084sn02q',
  changes: null,
}).slice(1);

/** Event n belongs to the one organization when n is even, else to the others in turn. All of them are of this month. */
const INSERT_EVENTS = `
  INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome, actor_id, key_id,
    target_id, request_id)
  SELECT chain, $5::bigint * ((n + 1) % 2) + place + 1,
    date_trunc('month', now()) + (now() - date_trunc('month', now())) * (n / $6::float8),
    '{"action":"http.request","outcome":"success","organizationId":"' || chain || '","actor":{"type":"serviceAccount","id":"'
      || actor || '","name":"Integration"},"key":{"id":"' || key || '","name":"Default"},' || $7,
    sha256('bench'), sha256('bench'), 'benchbenchbenchbenchbe', 'http.request', 'success', actor, key,
    CASE WHEN n % 20 < 2 THEN key END, 'req_' || lpad(n::text, 26, '0')
  FROM (
    SELECT n, CASE WHEN n % 2 = 0 THEN n / 2 ELSE n / 2 / cardinality($3::text[]) END AS place,
      CASE WHEN n % 2 = 0 THEN $1::text ELSE ($3::text[])[1 + n / 2 % cardinality($3::text[])] END AS chain,
      CASE WHEN n % 2 = 0 THEN ($2::text[])[1 + n / 2 % cardinality($2::text[])]
        ELSE ($4::text[])[1 + n / 2 % cardinality($4::text[])] END AS actor
    FROM generate_series($8::bigint, $9::bigint) AS n
  ) AS e, LATERAL (SELECT 'key_' || substr(actor, 4) AS key) AS k`;

async function insertEvents(database, { own, foreign, events, rowsPerStatement }) {
  const [{ organizationId: chain }] = own;
  const { rows } = await database.query('SELECT sequence FROM audit_heads WHERE chain = $1', [
    chain,
  ]);
  const base = Number(rows[0].sequence);
  const ids = own.map(({ id }) => id);
  const chains = foreign.map(({ organizationId }) => organizationId);
  const foreignIds = foreign.map(({ id }) => id);
  for (let from = 0; from < events; from += rowsPerStatement) {
    const to = Math.min(events, from + rowsPerStatement) - 1;
    const values = [chain, ids, chains, foreignIds, base, events, BODY_END, from, to];
    await database.query(INSERT_EVENTS, values);
  }
  const odd = Math.floor(events / 2);
  const lengths = chains.map((_, n) => Math.ceil(Math.max(0, odd - n) / chains.length));
  await eachPart(
    [[chain, base + events - odd], ...chains.map((id, n) => [id, lengths[n]])],
    rowsPerStatement,
    (part) => moveHeads(database, part),
  );
}

function moveHeads(database, heads) {
  return database.query(
    `UPDATE audit_heads h SET sequence = m.sequence, hash = sha256('bench')
     FROM unnest($1::text[], $2::bigint[]) AS m(chain, sequence) WHERE h.chain = m.chain AND m.sequence > 0`,
    [heads.map(([id]) => id), heads.map(([, sequence]) => sequence)],
  );
}
