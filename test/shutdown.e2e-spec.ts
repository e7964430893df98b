import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { halfALogin } from './half-a-login.js';
import { killLeftovers, startProcess } from './process.js';

afterAll(killLeftovers);

const PASSWORD = 'a long enough passphrase';
const LOGIN = { email: 'ada@example.com', password: PASSWORD };

describe('SIGTERM', () => {
  it('exits with 0 within ten seconds though a client stalls', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-shutdown-'));
    const server = await startProcess({ DATA_DIR: directory, LOG_LEVEL: 'warn' });
    try {
      const login = await halfALogin(server.url, LOGIN);
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
      ADMIN_EMAIL: LOGIN.email,
      ADMIN_PASSWORD: PASSWORD,
      ORGANIZATION_NAME: 'Acme',
      LOG_LEVEL: 'warn',
    });
    try {
      const login = await halfALogin(server.url, LOGIN);
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
