import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { INHERITED } from './process.js';

const CLI = join(import.meta.dirname, '../dist/cli.js');

/** Runs the built `claviger` with these arguments, no other environment and this standard input; answers what became of it. */
export async function runCli(args: string[], env: Record<string, string>, stdin = '') {
  if (!existsSync(CLI)) throw new Error('these tests need the built server: npm run build');
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...INHERITED, ...env },
  });
  child.stdin.end(stdin);
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exited, stdout, stderr };
}
