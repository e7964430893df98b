import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What is measured has one core for itself; the load, and PostgreSQL, have the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const running = new Set();

/** Kills what still runs; to be called when the process exits. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

function spawnOn(core, command, args, options) {
  const child =
    core === undefined
      ? spawn(command, args, options)
      : spawn('taskset', ['-c', String(core), command, ...args], options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Starts a server as a process of its own.
 * @template T
 * @param {string} script its path
 * @param {Record<string, string>} env all that it sees of the environment, besides PATH
 * @param {(output: string) => T | undefined} isReady reads from its standard output what is to be known of it
 * @param {number} [core] the one it is to run on; without it, any
 * @returns {Promise<T & { pid: number, stop: () => Promise<void> }>}
 * @throws Error when it exits before it is ready
 */
export function startServer(script, env, isReady, core) {
  const child = spawnOn(core, process.execPath, [script], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, complaints] = ['', ''];
  child.stderr.on('data', (chunk) => (complaints = (complaints + chunk).slice(-10_000)));
  const exited = new Promise((resolve) => child.once('close', resolve));
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    child.kill();
    await exited;
  };
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    exited.then((code) => {
      const error = new Error(`${script} exited with ${code}\n${complaints}`);
      if (output !== undefined) reject(error);
      else if (!isStopping) process.stderr.write(`${error.message}\n`);
    });
    child.stdout.on('data', (chunk) => {
      if (output === undefined) return; // it is ready, and what it says now is of no interest
      output += chunk;
      const details = isReady(output);
      if (details === undefined) return;
      output = undefined;
      resolve({ ...details, pid: child.pid, stop });
    });
  });
}

/** The first line of a peer's output (`peers/ready.mjs`). */
export function readyLine(output) {
  const end = output.indexOf('\n');
  return end === -1 ? undefined : JSON.parse(output.slice(0, end));
}

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {number} [core] the one it is to run on; without it, any
 * @returns {Promise<string>} its standard output
 * @throws Error when it fails
 */
export function runLoad(command, args, core) {
  const child = spawnOn(core, command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaints] = ['', ''];
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (complaints += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${command} exited with ${code}\n${complaints}${output}`)),
    );
  });
}

/**
 * A process's memory as Linux tells it, in megabytes: what is resident, and what was at most.
 * @returns {{ rss: number, peak: number }}
 */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
  return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
