import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killLeftovers, startProcess } from './process.js';

afterAll(killLeftovers);

const PASSWORD = 'a long enough passphrase';
const BODY = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });

/** A login of which the server has the headers, but only half the body. */
async function halfALogin(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  const continues = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.write(
    `POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n`,
  );
  // The server says "100 Continue" once it has taken the request in.
  await continues;
  socket.write(BODY.slice(0, 10));
  return { finish: () => socket.write(BODY.slice(10)), closed };
}

describe('SIGTERM', () => {
  it('exits with 0 within ten seconds though a client stalls', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-shutdown-'));
    const server = await startProcess({ DATA_DIR: directory, LOG_LEVEL: 'warn' });
    try {
      const login = await halfALogin(server.url);
      expect(await server.stop()).toBe(0);
      await login.closed;
      // The lock is gone: the embedded database was closed, and not just left.
      expect(existsSync(join(directory, 'lock'))).toBe(false);
    } finally {
      await server.stop('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  it('lets a request that has begun end well, and then exits with 0', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-shutdown-'));
    const server = await startProcess({
      DATA_DIR: directory,
      ADMIN_EMAIL: 'ada@example.com',
      ADMIN_PASSWORD: PASSWORD,
      ORGANIZATION_NAME: 'Acme',
      LOG_LEVEL: 'warn',
    });
    try {
      const login = await halfALogin(server.url);
      const exited = server.stop();
      // Refused connections show that the server has heard the signal.
      while (await server.client.get('/health/live').catch(() => undefined));
      login.finish();
      const answer = await login.closed;
      expect(answer).toContain('HTTP/1.1 201 Created');
      expect(answer.toLowerCase()).toContain('connection: close');
      expect(await exited).toBe(0);
    } finally {
      await server.stop('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);
});
