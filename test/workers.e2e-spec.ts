import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { get, type IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { remember } from './canary.js';
import type { Client } from './client.js';
import { emptyDatabase, onPostgres } from './database.js';
import { eventually } from './eventually.js';
import { halfALogin } from './half-a-login.js';
import { failToStart, killLeftovers, type ServerProcess, startProcess } from './process.js';

/** The embedded database has exactly one process by design: there, only the refusal to start is tested. */
const describeOnPostgres = onPostgres ? describe : describe.skip;

const LOGIN = { email: 'ada@example.com', password: 'a long enough passphrase' };
const ADMIN = {
  ADMIN_EMAIL: LOGIN.email,
  ADMIN_PASSWORD: LOGIN.password,
  ORGANIZATION_NAME: 'Acme',
};

afterAll(killLeftovers);

/** An answer, and which process gave it. */
interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  pid: number;
}

/** A GET on a connection of its own: the primary gives each new one to the next worker. Fails after five seconds. */
async function ask(server: ServerProcess, path: string, headers = {}): Promise<Answered> {
  const answer = await new Promise<Omit<Answered, 'pid'>>((resolve, reject) => {
    const request = get(
      server.url + path,
      { agent: false, headers, timeout: 5_000 },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, text }),
        );
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within five seconds')));
    request.on('error', reject);
  });
  const requestId = answer.headers['x-request-id'] as string;
  const pid = await eventually(() => Promise.resolve(logged(server, requestId)));
  return { ...answer, pid };
}

/** The process whose log has this request. */
function logged(server: ServerProcess, requestId: string): number | undefined {
  const line = server
    .output()
    .split('\n')
    .find((one) => one.includes(`"requestId":"${requestId}"`) && one.includes('"msg":"request"'));
  return line === undefined ? undefined : (JSON.parse(line) as { pid: number }).pid;
}

/** Which workers answer; both, as long as there are two. */
async function workersOf(server: ServerProcess): Promise<number[]> {
  const answers = [await ask(server, '/health/ready'), await ask(server, '/health/ready')];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  return [...new Set(answers.map(({ pid }) => pid))];
}

function isAnswered(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const times = (text: string, part: string) => text.split(part).length - 1;

/** Servers of two workers on databases of their own, and what they were started with. */
const databases: { cleanup(): Promise<void> }[] = [];
afterAll(() => Promise.all(databases.map((database) => database.cleanup())));

async function environment(more: Record<string, string> = {}): Promise<Record<string, string>> {
  const database = await emptyDatabase();
  databases.push(database);
  const PEPPER = randomBytes(32).toString('base64');
  // Which process answers, only the log says.
  return { DATABASE_URL: database.url, PEPPER, WORKERS: '2', LOG_LEVEL: 'debug', ...more };
}

describeOnPostgres('two workers behind one port', () => {
  let server: ServerProcess;
  let client: Client;
  let path: string;

  beforeAll(async () => {
    server = await startProcess(await environment({ TRUSTED_PROXIES: '127.0.0.1', ...ADMIN }));
    const { body } = await server.client.post('/v1/sessions', LOGIN);
    client = server.client.withToken(body.token);
    path = `/v1/organizations/${body.organizations[0].id}`;
  }, 60_000);
  afterAll(() => server?.stop());

  async function aServiceAccount(name: string, requestsPerMinute: number) {
    const { body } = await client.post(`${path}/service-accounts`, {
      name,
      role: 'viewer',
      requestsPerMinute,
    });
    return { keys: `${path}/service-accounts/${body.serviceAccount.id}/keys`, ...body.key };
  }

  const withToken = (token: string, more = {}) => ({ authorization: `Bearer ${token}`, ...more });

  it('both answer, and the process that was started does not', async () => {
    const workers = await workersOf(server);
    expect(workers).toHaveLength(2);
    expect(workers).not.toContain(server.pid);
    expect(times(server.output(), 'Claviger is ready.')).toBe(1);
  });

  it('refuse a key in every request that begins after its revocation returned', async () => {
    const { keys } = await aServiceAccount('Revoked', 1_000_000);
    const found: Record<string, number> = {};
    for (let round = 0; round < 40; round += 1) {
      const key = (await client.post(keys, { name: `Key ${round}` })).body;
      // Twice each, so that both have it in their cache.
      for (let count = 0; count < 4; count += 1) {
        expect((await ask(server, '/v1/me', withToken(key.token))).status).toBe(200);
      }
      expect((await client.delete(`${keys}/${key.id}`)).status).toBe(204);
      // Refused from many addresses: from a single one it would be a flood.
      const stranger = withToken(key.token, { 'x-forwarded-for': `192.0.2.${round}` });
      for (const { status, pid } of await Promise.all([
        ask(server, '/v1/me', stranger),
        ask(server, '/v1/me', stranger),
      ])) {
        found[`${pid} ${status}`] = (found[`${pid} ${status}`] ?? 0) + 1;
      }
    }
    const workers = await workersOf(server);
    expect(Object.keys(found).sort()).toEqual(workers.map((pid) => `${pid} 401`).sort());
  }, 120_000);

  it('hold a limit together, and say exactly how much is left', async () => {
    const { token } = await aServiceAccount('Limited', 20);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => ask(server, '/v1/me', withToken(token))),
    );
    const left = answers.map(({ headers }) => Number(headers['x-ratelimit-remaining']));
    const expected = [...Array.from({ length: 20 }, (_, index) => index), ...Array(10).fill(0)];
    expect(left.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
  }, 60_000);

  it('show the sum of what they have measured, whichever is asked', async () => {
    const series = 'claviger_http_requests_total{method="GET",route="/health/live",status="200"}';
    const scrape = async () => {
      const { text, pid } = await ask(server, '/metrics');
      const line = text.split('\n').find((one) => one.startsWith(series));
      return { text, pid, count: Number(line?.split(' ').at(-1) ?? 0) };
    };
    const before = (await scrape()).count;
    const answers = [];
    for (let count = 0; count < 10; count += 1) answers.push(await ask(server, '/health/live'));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    const scrapes = [await scrape(), await scrape()];
    expect(scrapes.map(({ count }) => count - before)).toEqual([10, 10]);
    expect(new Set(scrapes.map(({ pid }) => pid)).size).toBe(2);
    for (const { text } of scrapes) {
      expect(text).toMatch(/^claviger_workers 2$/m);
      expect(text).toMatch(/^claviger_audit_gate_queue_depth \d+$/m);
      expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
      expect(text).toMatch(/^process_start_time_seconds 1\d{9}$/m);
    }
  });
});

describeOnPostgres('a worker that is killed', () => {
  it('is replaced while the other one answers, and nothing is set up again', async () => {
    const server = await startProcess(await environment());
    try {
      const before = await workersOf(server);
      expect(before).toHaveLength(2);
      process.kill(before[0]!, 'SIGKILL');
      await eventually(() =>
        Promise.resolve(server.output().includes('a worker has ended') || undefined),
      );
      const after = await eventually(async () => {
        const workers = await workersOf(server); // every answer meanwhile is 200
        return workers.length === 2 ? workers : undefined;
      });
      expect(after).toContain(before[1]);
      expect(after).not.toContain(before[0]);
      expect((await ask(server, '/metrics')).text).toMatch(/^claviger_workers 2$/m);
      expect(times(server.output(), 'Claviger is ready.')).toBe(1);
      expect(times(server.output(), '/setup#token=')).toBe(1);
      const token = /\/setup#token=(\S+)/.exec(server.output())![1]!;
      remember(token);
      // A second link would have ended the first.
      const setUp = await server.client.post('/v1/setup', {
        ...LOGIN,
        token,
        name: 'Ada',
        organizationName: 'Acme',
      });
      expect(setUp.status).toBe(201);
    } finally {
      await server.stop();
    }
  }, 60_000);
});

describeOnPostgres('the end of all workers', () => {
  it.each([
    ['SIGTERM to their primary', 'SIGTERM', 0],
    ['the death of their primary', 'SIGKILL', null],
  ] as const)(
    'comes with %s: what has begun is answered, and nobody is left',
    async (_, signal, code) => {
      const server = await startProcess(await environment(ADMIN));
      try {
        const workers = await workersOf(server);
        expect(workers).toHaveLength(2);
        const logins = [await halfALogin(server.url, LOGIN), await halfALogin(server.url, LOGIN)];
        const startedAt = performance.now();
        const exited = server.stop(signal);
        // Refused connections show that all have heard of it. One that arrives while the last worker stops listening may stay
        // with the primary, unanswered, until that ends.
        while (await isAnswered(`${server.url}/health/live`));
        for (const login of logins) login.finish();
        for (const login of logins) expect(await login.closed).toContain('HTTP/1.1 201 Created');
        // This waits for whoever holds its output, the workers too.
        expect(await exited).toBe(code);
        expect(performance.now() - startedAt).toBeLessThan(10_000);
        // Whoever takes in orphans may take a moment to bury them.
        const all = [server.pid, ...workers];
        await eventually(() => Promise.resolve(all.some(isAlive) ? undefined : true));
      } finally {
        await server.stop('SIGKILL');
      }
    },
    60_000,
  );
});

describeOnPostgres('a start of workers that cannot be', () => {
  it('ends all with 1, and says why once', async () => {
    const env = await environment();
    const server = await startProcess(env);
    expect(await server.stop()).toBe(0);
    const { code, output } = await failToStart({
      ...env,
      PEPPER: randomBytes(32).toString('base64'),
    });
    expect(code).toBe(1);
    expect(times(output, 'The pepper is not the one this database works with')).toBe(1);
    expect(output).not.toContain('    at ');
    expect(output).not.toContain('Claviger is ready.');
  }, 60_000);

  it('ends all with 1 where somebody has the port', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const { code, output } = await failToStart({ ...(await environment()), PORT: String(port) });
    holder.close();
    expect(code).toBe(1);
    expect(output).toContain('EADDRINUSE');
    expect(output).not.toContain('Claviger is ready.');
  }, 60_000);
});

describe('workers without DATABASE_URL', () => {
  it('do not start: the process exits with 1 and says why', async () => {
    const { code, output } = await failToStart({ WORKERS: '2' });
    expect(code).toBe(1);
    expect(output).toContain('WORKERS');
    expect(output).toContain('DATABASE_URL');
    expect(output).not.toContain('    at ');
  });
});
