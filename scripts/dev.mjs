// `npm run dev`: the server, restarted on every change, and the panel with hot reload in front of it.
import { execFileSync, spawn } from 'node:child_process';

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
for (const script of ['generate', 'build:sdk']) {
  execFileSync(npm, ['run', script], { stdio: 'inherit', shell: process.platform === 'win32' });
}
const commands = [
  ['npx', ['nest', 'start', '--watch']],
  [npm, ['run', 'dev', '--workspace', '@claviger/web']],
];
// The panel's origin is where people are sent: links, cookies.
const env = { PUBLIC_URL: 'http://localhost:5173', ...process.env };
const children = commands.map(([command, args]) =>
  spawn(command, args, { stdio: 'inherit', env, shell: process.platform === 'win32' }),
);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => children.forEach((child) => child.kill(signal)));
}
for (const child of children) {
  child.on('exit', (code) => {
    children.forEach((other) => other.kill());
    process.exitCode ??= code ?? 0;
  });
}
