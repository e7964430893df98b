import { spawnSync } from 'node:child_process';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findTokens } from './token-shape.mjs';

/**
 * `npm run scan:secrets [-- path…]`: looks for Claviger's tokens in the files named and in all of the folders named, else in every
 * tracked file. Fails with file and line of each, never with the token.
 */
function filesIn(path, leftOut = []) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => (entry.isFile() || entry.isDirectory()) && !leftOut.includes(entry.name))
    .flatMap(({ name }) => filesIn(join(path, name), leftOut));
}

function trackedFiles() {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z'], { encoding: 'utf8' });
  // Without a repository, as in an unpacked release: all but what is made there.
  if (status !== 0) return filesIn('.', ['coverage', 'data', 'dist', 'node_modules']);
  // What is deleted and not committed yet is still tracked.
  const isFile = (name) => statSync(name, { throwIfNoEntry: false })?.isFile();
  return stdout.split('\0').filter((name) => name !== '' && isFile(name));
}

async function scan(file) {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    number += 1;
    for (const token of findTokens(line)) {
      console.error(`${file}:${number}: a token, ${token} (who made it should revoke it)`);
      process.exitCode = 1;
    }
  }
}

const paths = process.argv.slice(2);
for (const file of paths.length > 0 ? paths.flatMap((path) => filesIn(path)) : trackedFiles())
  await scan(file);
