// `npm run dev`: the server, restarted on every change of src/, and the panel with hot reload in front of it.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const IS_WINDOWS = process.platform === 'win32';

for (const script of ['generate', 'build:sdk']) {
  execFileSync('npm', ['run', script], { stdio: 'inherit', cwd: ROOT, shell: IS_WINDOWS });
}
const { PORT = '3000' } = process.env;
const env = {
  // The panel's origin is where people are sent (links), and the only one whose cookies count.
  PUBLIC_URL: 'http://localhost:5173',
  CLAVIGER: `http://127.0.0.1:${PORT}`,
  ...process.env,
};
// The programs themselves, not npm around them, which would not pass signals on.
const children = [
  start('node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch', '--preserveWatchOutput'),
  start('node_modules/vite/bin/vite.js', 'web'),
];
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(signal));
for (const child of children) {
  child.on('exit', (code) => {
    process.exitCode ??= code ?? 0;
    end('SIGTERM');
  });
}

/** Each in a process group of its own: the server is a grandchild, and would outlive its parent. */
function start(program, ...args) {
  const stdio = ['ignore', 'inherit', 'inherit'];
  return spawn(process.execPath, [join(ROOT, program), ...args], {
    cwd: ROOT,
    stdio,
    env,
    detached: !IS_WINDOWS,
  });
}

function end(signal) {
  for (const { pid } of children) {
    try {
      process.kill(IS_WINDOWS ? pid : -pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // It has ended already.
    }
  }
}
