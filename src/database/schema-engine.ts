import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Prisma's own engine, compiled to WASM: needs neither a binary nor a network. */
const ENGINE = '@prisma/schema-engine-wasm/schema_engine_bg';

/** The package's root, seen from src/database as well as from dist/database. */
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NOTHING_EXTERNAL = { externalTables: [], externalEnums: [] };

/** The names of the migrations that belong to this version, oldest first. */
export function migrationNames(): string[] {
  return readdirSync(join(PACKAGE_ROOT, 'prisma/migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Has Prisma's engine apply whatever is pending, through this adapter. */
export async function applyMigrations(adapter: SqlDriverAdapter): Promise<void> {
  const engine = await createEngine(adapter);
  try {
    await engine.applyMigrations({
      migrationsList: readMigrations(),
      filters: NOTHING_EXTERNAL,
    });
  } finally {
    engine.free();
  }
}

function readMigrations(): MigrationList {
  const baseDir = join(PACKAGE_ROOT, 'prisma/migrations');
  const read = (...path: string[]): string => readFileSync(join(baseDir, ...path), 'utf8');
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames().map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: read(name, 'migration.sql') },
      },
    })),
  };
}

async function createEngine(adapter: SqlDriverAdapter): Promise<SchemaEngine> {
  const { SchemaEngine: Engine } = await loadEngine();
  const factory: SqlMigrationAwareDriverAdapterFactory = {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connect: () => Promise.resolve(adapter),
    connectToShadowDb: () => Promise.reject(new Error('applying needs no shadow database')),
  };
  const schema = readFileSync(join(PACKAGE_ROOT, 'prisma/schema.prisma'), 'utf8');
  return Engine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

/** The part used of a global that TypeScript declares only for browsers. */
interface WebAssemblyGlobal {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
}

/** The engine's time-out for its lock stays behind and would keep an idle process alive for 10 s. */
function unrefTimers(bindings: object): Record<string, unknown> {
  const names = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout_'));
  const unrefTimer = (callback: () => void, milliseconds: number): NodeJS.Timeout =>
    setTimeout(callback, milliseconds >>> 0).unref();
  return Object.fromEntries(names.map((name) => [name, unrefTimer]));
}

type EngineModule = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');
let loading: Promise<EngineModule> | undefined;

function loadEngine(): Promise<EngineModule> {
  loading ??= (async () => {
    const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
    const folder = dirname(createRequire(import.meta.url).resolve(ENGINE));
    const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyGlobal };
    const { instance } = await WebAssembly.instantiate(
      readFileSync(join(folder, 'schema_engine_bg.wasm')),
      { './schema_engine_bg.js': { ...bindings, ...unrefTimers(bindings) } },
    );
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    return bindings;
  })();
  return loading;
}
