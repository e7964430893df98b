// npm run migration:new NAME   writes prisma/migrations/<time>_NAME/migration.sql: what leads from the
//                              migrations that exist to prisma/schema.prisma, to be completed by hand.
// npm run migration:new -- --check   exits 1 and prints the difference when there is any.
// Works as the server does, with Prisma's engine in WASM and an embedded database: no binary, no network.
import { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const prisma = fileURLToPath(new URL('../prisma', import.meta.url));
const folder = join(prisma, 'migrations');
const EMPTY = '-- This is an empty migration.';

const [name] = process.argv.slice(2);
const check = name === '--check';
if (!check && !/^[a-z0-9_]+$/.test(name ?? '')) {
  console.error('Usage: npm run migration:new NAME (lower case, digits, _), or -- --check');
  process.exit(2);
}
const sql = await difference();
const isEmpty = sql.trim() === '' || sql.trim() === EMPTY;
if (check) {
  if (!isEmpty) console.error(`schema.prisma and the migrations differ:\n${sql}`);
  process.exit(isEmpty ? 0 : 1);
}
const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const file = join(folder, `${time}_${name}`, 'migration.sql');
mkdirSync(dirname(file));
writeFileSync(file, isEmpty ? `${EMPTY}\n` : sql);
console.log(file);
process.exit(0);

/** The SQL from the state that the migrations make to schema.prisma. */
async function difference() {
  const engine = await createEngine();
  const { stdout } = await engine.diff({
    from: { tag: 'migrations', ...migrations() },
    to: { tag: 'schemaDatamodel', files: [schema()] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  return stdout ?? '';
}

function schema() {
  const path = join(prisma, 'schema.prisma');
  return { path, content: readFileSync(path, 'utf8') };
}

function migrations() {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir: folder,
    lockfile: {
      path: 'migration_lock.toml',
      content: readFileSync(join(folder, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: names.map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(folder, path, 'migration.sql'), 'utf8') },
      },
    })),
  };
}

async function createEngine() {
  const require = createRequire(import.meta.url);
  const module = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = readFileSync(join(dirname(module), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const { path, content } = schema();
  return bindings.SchemaEngine.new(
    { datamodels: [[path, content]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory({
      provider: 'postgres',
      adapterName: 'pglite',
      connect: openEmpty,
      connectToShadowDb: openEmpty,
    }),
  );
}

async function openEmpty() {
  const pglite = await PGlite.create();
  const adapter = await new PrismaPGlite(pglite).connect();
  // The adapter's own does not wait for the script.
  adapter.executeScript = async (script) => {
    try {
      await pglite.exec(script);
    } catch (error) {
      console.error(error.message);
      throw error;
    }
  };
  return adapter;
}
