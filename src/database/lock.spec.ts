import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DataDirLockedError, lockDirectory } from './lock.js';

/** Takes the lock of argv[2] when told on stdin, says how it went, and holds it until it is killed. */
const PROGRAM = `
import { lockDirectory } from './lock.mjs';
process.stdin.once('data', () =>
  lockDirectory(process.argv[2]).then(
    () => console.log('held'),
    (error) => console.log(error.name),
  ),
);
console.log('ready');
`;

let folder: string;
let data: string;
let program: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-lock-'));
  data = join(folder, 'data');
  program = join(folder, 'program.mjs');
  const source = readFileSync(fileURLToPath(new URL('./lock.ts', import.meta.url)), 'utf8');
  const { code } = transformSync(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  });
  writeFileSync(join(folder, 'lock.mjs'), code);
  writeFileSync(program, PROGRAM);
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(folder, { recursive: true, force: true });
});

/** A process that is ready to take the lock; `take` answers `held` or the error's name. */
async function aProcess() {
  const child = spawn(process.execPath, [program, data], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  const take = async (): Promise<string> => {
    const answer = once(lines, 'line') as Promise<[string]>;
    child.stdin.write('go\n');
    return (await answer)[0];
  };
  return { child, take };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('lockDirectory', () => {
  it('makes the directory for its owner alone and leaves nothing in it after release', async () => {
    const lock = await lockDirectory(data);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(readdirSync(data)).toEqual(['lock']);
    lock.release();
    expect(readdirSync(data)).toEqual([]);
    (await lockDirectory(data)).release();
  });

  it('refuses a second owner and says who the first is', async () => {
    const { child, take } = await aProcess();
    expect(await take()).toBe('held');
    const refused = lockDirectory(data);
    await expect(refused).rejects.toThrow(DataDirLockedError);
    await expect(refused).rejects.toThrow(`process ${child.pid} `);
  });

  it('refuses its own process too', async () => {
    const lock = await lockDirectory(data);
    await expect(lockDirectory(data)).rejects.toThrow(`process ${process.pid} `);
    lock.release();
  });
});

describe('a dead owner’s lock', () => {
  it('is taken over', async () => {
    const { child, take } = await aProcess();
    await take();
    await kill(child);
    const lock = await lockDirectory(data);
    expect(JSON.parse(readFileSync(join(data, 'lock'), 'utf8')).pid).toBe(process.pid);
    expect(readdirSync(data)).toEqual(['lock']);
    lock.release();
  });

  it('is taken over when its process number belongs to another process now', async () => {
    const { child, take } = await aProcess();
    await take();
    await kill(child);
    const record = JSON.parse(readFileSync(join(data, 'lock'), 'utf8'));
    writeFileSync(join(data, 'lock'), JSON.stringify({ ...record, pid: process.pid }));
    (await lockDirectory(data)).release();
  });

  it('is taken over when a first take-over was killed half-way', async () => {
    const first = await aProcess();
    await first.take();
    await kill(first.child);
    const dead = JSON.parse(readFileSync(join(data, 'lock'), 'utf8'));
    const successor = { ...dead, token: 'second' };
    writeFileSync(join(data, `lock.${dead.token}`), JSON.stringify(successor));
    const lock = await lockDirectory(data);
    expect(readdirSync(data)).toEqual(['lock']);
    lock.release();
  });

  it('is taken over by exactly one of many processes', async () => {
    const contenders = await Promise.all(Array.from({ length: 6 }, aProcess));
    for (let round = 0; round < 3; round++) {
      const owner = await aProcess();
      expect(await owner.take()).toBe('held');
      await kill(owner.child);
      const outcomes = await Promise.all(contenders.map(({ take }) => take()));
      expect(outcomes.sort()).toEqual([...Array<string>(5).fill('DataDirLockedError'), 'held']);
      // Begin anew: whoever holds it goes, all the others come again as new processes.
      await Promise.all(contenders.map(({ child }) => kill(child)));
      rmSync(data, { recursive: true });
      contenders.splice(0, 6, ...(await Promise.all(Array.from({ length: 6 }, aProcess))));
    }
  });
});
