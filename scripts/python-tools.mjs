// Tools that are written in Python, in an environment of their own, which `npm ci` takes away.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));

/**
 * Installs what a requirements.txt pins, unless it is there already.
 * @param {string} name of the environment
 * @param {string} requirements path of the file
 * @returns {string} the folder with its programs
 * @throws Error when Python, or a package, cannot be had
 */
export function pythonTools(name, requirements) {
  const folder = join(CACHE, name);
  const bin = join(folder, 'bin');
  const marker = join(folder, 'requirements.txt');
  const pinned = readFileSync(requirements, 'utf8');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === pinned) return bin;
  run('python3', ['-m', 'venv', '--clear', folder]);
  const install = ['install', '-q', '--disable-pip-version-check', '-r', requirements];
  run(join(bin, 'python'), ['-m', 'pip', ...install]);
  writeFileSync(marker, pinned);
  return bin;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}`);
  }
}
