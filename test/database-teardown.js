import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import pg from 'pg';

/** Removes the run's template, and whatever databases of the run are left. */
export default async function teardown() {
  const directory = process.env.TEST_TEMPLATE_DIR;
  rmSync(directory, { recursive: true, force: true });
  if (!process.env.TEST_DATABASE_URL) return;
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  const prefix = basename(directory).toLowerCase();
  const { rows } = await client.query(
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  );
  for (const { datname } of rows) {
    await client.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  }
  await client.end();
}
