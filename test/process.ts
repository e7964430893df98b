import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remember, searchText } from './canary.js';
import { Client } from './client.js';

const MAIN = join(import.meta.dirname, '../dist/main.js');

/** The built server as a process of its own. */
export interface ServerProcess {
  url: string;
  pid: number;
  client: Client;
  /** All that it has printed. */
  output(): string;
  /** Ends it and waits; answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** What a process that was to fail at the start did. */
export interface FailedStart {
  code: number | null;
  output: string;
}

/** For servers on PostgreSQL, whose checkpoints nobody looks at. */
const NOWHERE = mkdtempSync(join(tmpdir(), 'claviger-process-'));

/** What every process has of the tests' own environment; PREPARED_STATEMENTS where they go through a PgBouncer. */
const { PATH, PREPARED_STATEMENTS } = process.env;
export const INHERITED = {
  PATH,
  ...(PREPARED_STATEMENTS === undefined ? {} : { PREPARED_STATEMENTS }),
};

const running = new Set<ChildProcess>();
/** What each process of this file has printed. */
const outputs: (() => string)[] = [];

/** For `afterAll`: ends what a failed test has left running, and fails when a process has printed a secret. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
  rmSync(NOWHERE, { recursive: true, force: true });
  for (const output of outputs) {
    // The one token that is meant to be printed; the panel is opened by it.
    const rest = output().replaceAll(/\/setup#token=\w+/g, '');
    searchText(rest, 'in the output of a process');
  }
}

/** Starts `dist/main.js`, or that of another version, on a free port and waits until it says that it is ready. */
export function startProcess(env: Record<string, string>, main = MAIN): Promise<ServerProcess> {
  return startCommand(env, [process.execPath, main]);
}

/** The same with a command that becomes the server. */
export async function startCommand(
  env: Record<string, string>,
  command: [string, ...string[]],
): Promise<ServerProcess> {
  const { child, output, exited } = launch(env, command);
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const match = /Swagger UI {2}(http:\/\/(?:localhost|127\.0\.0\.1):\d+)\/docs/.exec(output());
      if (match?.[1]) resolve(match[1].replace('localhost', '127.0.0.1'));
    };
    child.stdout!.on('data', look);
    void exited.then((code) => reject(new Error(`exited with ${code}: ${output()}`)));
  });
  return {
    url,
    pid: child.pid!,
    client: new Client(url),
    output,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}

/** Starts `dist/main.js` where it must not start, and waits for its end. */
export async function failToStart(env: Record<string, string>): Promise<FailedStart> {
  const { child, output, exited } = launch(env, [process.execPath, MAIN]);
  const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const code = await exited;
  clearTimeout(impatience);
  return { code, output: output() };
}

function launch(
  env: Record<string, string>,
  [file, ...args]: [string, ...string[]],
): {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
} {
  if (!existsSync(MAIN)) throw new Error('these tests need the built server: npm run build');
  if (env.PEPPER) remember(env.PEPPER);
  const child = spawn(file, args, {
    env: { ...INHERITED, PORT: '0', HOST: '127.0.0.1', DATA_DIR: NOWHERE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  running.add(child);
  outputs.push(() => output);
  const exited = new Promise<number | null>((resolve) =>
    child.on('close', (code) => {
      running.delete(child);
      resolve(code);
    }),
  );
  return { child, output: () => output, exited };
}
