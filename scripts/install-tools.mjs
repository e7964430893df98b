// Installs a package of this repository that is not part of `npm ci`, unless what is there is as new as its lockfile:
// node scripts/install-tools.mjs bench
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, exit } from 'node:process';

const directory = resolve(argv[2]);
const changedAt = (file) =>
  statSync(join(directory, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes that file last.
if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', directory];
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  exit(status ?? 1);
}
