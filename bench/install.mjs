// Installs what the benchmarks compare Claviger with, unless what is there is as new as the lockfile.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('.', import.meta.url));
const changedAt = (file) =>
  statSync(new URL(file, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes that file last.
if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  const args = ['ci', '--no-audit', '--no-fund', '--prefix', directory];
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  process.exit(status ?? 1);
}
