import { describe, expect, it } from '@jest/globals';
import { runCli } from './cli.js';
import { testDatabase } from './database.js';
import { aPerson } from './factories.js';
import { startServer } from './harness.js';

describe('the command line', () => {
  it('sets a random password and prints it once; reads one from standard input', async () => {
    const { config, cleanup } = await testDatabase({ durable: true });
    const pepper = Buffer.alloc(32, 7);
    const { databaseUrl, dataDir } = config;
    const env = {
      PEPPER: pepper.toString('base64'),
      DATA_DIR: dataDir,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    };
    const before = await startServer({ ...config, pepper });
    const { email } = await aPerson(before, null);
    await before.close();

    const generated = await runCli(['reset-password', email], env);
    expect(generated).toMatchObject({ code: 0, stderr: '' });
    expect(generated.stdout).toMatch(/^[\w-]{24}\n$/);
    const piped = await runCli(['reset-password', email, '--stdin'], env, 'from standard input\n');
    expect(piped).toEqual({ code: 0, stdout: 'The password is set.\n', stderr: '' });
    const nobody = await runCli(['reset-password', 'nobody@example.com'], env);
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    expect(nobody.stderr).toContain('There is no user');

    const server = await startServer({ ...config, pepper });
    const login = (password: string) => server.client.post('/v1/sessions', { email, password });
    expect((await login(generated.stdout.trim())).status).toBe(401);
    expect((await login('from standard input')).status).toBe(201);
    if (server.database.embedded) {
      const refused = await runCli(['reset-password', email], env);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('is in use by process');
    }
    await server.close();
    await cleanup();
  }, 60_000);

  it('takes a public key that begins with a dash for what it is', async () => {
    const key = `-${'A'.repeat(42)}`;
    const { code, stderr } = await runCli(['verify', 'no such file', '--key', key], {});
    expect(code).toBe(1);
    expect(stderr).toContain('no such file');
    expect(stderr).not.toContain('ambiguous');
  });

  it('says how it is used', async () => {
    const help = await runCli(['--help'], {});
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('reset-password') });
    const unknown = await runCli(['explode'], {});
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: help.stdout });
  });
});
