import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.js';

/** Whether the program is installed. */
export const hasHaproxy = spawnSync('haproxy', ['-v'], { stdio: 'ignore' }).status === 0;

/**
 * HAProxy as docs/operations.md configures it: it asks each instance whether it is ready, and what one has not answered, because
 * it has just closed the connection, goes to the other, where that is safe.
 */
export async function startHaproxy(port: number, instances: number[]): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const lines = instances.map((instance, n) => `  server claviger${n} 127.0.0.1:${instance} check`);
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout check 2s
  retries 3
  retry-on conn-failure empty-response
  option redispatch
frontend in
  bind 127.0.0.1:${port}
  http-request disable-l7-retry if METH_POST !{ req.hdr(idempotency-key) -m found }
  default_backend claviger
backend claviger
  option httpchk GET /health/ready
  default-server inter 200ms fall 2 rise 1
${lines.join('\n')}
`,
  );
  const child: ChildProcess = spawn('haproxy', ['-f', file], { stdio: 'ignore' });
  await eventually(() => answers(port));
  return () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
}

function answers(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => (socket.destroy(), resolve(true)));
    socket.on('error', () => resolve(undefined));
  });
}
