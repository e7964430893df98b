import pg from 'pg';

const BATCHES = [1, 16, 64];
const WRITERS = [1, 2, 4];
const BODY = JSON.stringify({
  action: 'http.request',
  outcome: 'success',
  filler: 'x'.repeat(600),
});

/**
 * How many events a second get through the heads of chains, by the statement of the gate alone and without any server:
 * writers that meet at one head beside writers with a head each.
 * @param {string} databaseUrl with Claviger's tables
 * @param {{ chains: string[], seconds: number, rounds: number }} options
 * @returns {Promise<{ writers: number, batch: number, shared: boolean, rates: number[] }[]>}
 */
export async function measureHeads(databaseUrl, { chains, seconds, rounds }) {
  const cases = BATCHES.flatMap((batch) =>
    WRITERS.flatMap((writers) =>
      (writers === 1 ? [true] : [true, false]).map((shared) => ({
        writers,
        batch,
        shared,
        rates: [],
      })),
    ),
  );
  const clients = await Promise.all(
    Array.from({ length: Math.max(...WRITERS) }, () => connect(databaseUrl)),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const one of cases) {
      const until = performance.now() + seconds * 1_000;
      const some = clients.slice(0, one.writers);
      const counts = await Promise.all(
        some.map((client, n) => write(client, chains[one.shared ? 0 : n], one.batch, until)),
      );
      one.rates.push(counts.reduce((a, b) => a + b) / seconds);
    }
  }
  await Promise.all(clients.map((client) => client.end()));
  return cases;
}

async function connect(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** Appends batches to a chain, one after the other, waiting for its head; answers how many events that were. */
async function write(client, chain, batch, until) {
  const fill = (value) => Array.from({ length: batch }, () => value);
  const none = fill(null);
  const values = [
    fill(chain),
    fill(BODY),
    fill('benchbenchbenchbenchbe'),
    none,
    none,
    fill('http.request'),
    fill('success'),
    none,
    none,
    none,
    none,
  ];
  const text =
    'SELECT audit_append($1::text[],$2::text[],$3::text[],$4::bigint[],$5::bigint[],$6::text[],$7::text[],$8::text[],$9::text[],$10::text[],$11::text[],true,false) AS codes';
  let count = 0;
  while (performance.now() < until) {
    await client.query({ name: 'append', text, values });
    count += batch;
  }
  return count;
}
