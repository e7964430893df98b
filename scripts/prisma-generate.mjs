// Generates the Prisma client without a network: the CLI insists on a schema-engine binary that
// `generate` never runs, so any existing file satisfies it. Without devDependencies there is no CLI;
// a client that was generated before is all that is needed then.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.exit(generate(findCli()));

function findCli() {
  try {
    return createRequire(import.meta.url).resolve('prisma/build/index.js');
  } catch {
    return undefined;
  }
}

function generate(cli) {
  if (cli === undefined) {
    if (existsSync(`${root}dist`) || existsSync(`${root}src/generated`)) return 0;
    console.error(
      'The Prisma CLI is missing: install with devDependencies to generate the client.',
    );
    return 1;
  }
  const { status } = spawnSync(process.execPath, [cli, 'generate', '--no-hints'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: 'true',
      CHECKPOINT_DISABLE: '1',
    },
  });
  return status ?? 1;
}
