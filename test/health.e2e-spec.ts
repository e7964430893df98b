import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { HealthService } from '../src/health/health.service.js';
import { DatabaseService } from '../src/database/database.service.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

const METRICS_TOKEN = 'scrape-me-0123456789';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ metricsToken: METRICS_TOKEN });
});

afterAll(() => server.close());

/** Sends something that is no HTTP and waits until the connection is closed. */
function sendNonsense(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write('NONSENSE\r\n\r\n'),
    );
    socket.on('data', () => undefined);
    socket.on('close', () => resolve());
  });
}

async function scrape(): Promise<string> {
  const { status, body } = await server.client.withToken(METRICS_TOKEN).get('/metrics');
  expect(status).toBe(200);
  return body as string;
}

describe('probes', () => {
  it('say that the server lives and is ready, and are not on the trail', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await server.client.get(path);
      expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
      const requestId = answer.headers.get('x-request-id') ?? '?';
      expect(await eventsOf(server, { requestId })).toEqual([]);
    }
  });

  it('call a server whose database does not answer alive, but not ready', async () => {
    // Never opened: what a look-up meets while PostgreSQL is away.
    const away = new HealthService(new DatabaseService(server.config));
    await expect(away.assertReady()).rejects.toMatchObject({ status: 503, code: 'not_ready' });
  });

  it('call a server that shuts down not ready, while it still answers', async () => {
    const closing = new HealthService(server.database);
    closing.onModuleDestroy();
    await expect(closing.assertReady()).rejects.toMatchObject({ status: 503, code: 'not_ready' });
  });
});

describe('GET /metrics', () => {
  it('needs the token of METRICS_TOKEN', async () => {
    expect((await server.client.get('/metrics')).status).toBe(401);
    const wrong = await server.client.withToken(`${METRICS_TOKEN}x`).get('/metrics');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toMatch(/invalid_token/);
  });

  it('counts answers by route template, never by path', async () => {
    await server.client.get('/v1/organizations/org_unique_path');
    await server.client.get('/v1/nothing/unique_path');
    const text = await scrape();
    expect(text).toMatch(
      /claviger_http_requests_total\{method="GET",route="\/v1\/organizations\/:organizationId",status="401"\} [1-9]/,
    );
    expect(text).toMatch(/requests_total\{method="GET",route="none",status="404"\} [1-9]/);
    expect(text).not.toMatch(/unique_path/);
  });

  it('counts what is answered below the router, and what the gate writes', async () => {
    await sendNonsense();
    const text = await scrape();
    expect(text).toMatch(/claviger_http_below_router_total\{status="400"\} 1/);
    expect(text).toMatch(/claviger_audit_gate_batch_size_count [1-9]/);
    expect(text).toMatch(/claviger_audit_gate_queue_depth 0/);
  });
});

describe('GET /docs and /openapi.json', () => {
  it('serves Swagger UI from its own files, under a policy without inline scripts', async () => {
    const page = await server.client.get('/docs');
    const html = page.body as string;
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self'(;|$)/);
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe/);
    expect(html).not.toMatch(/<script>|<style|https?:|\son\w+=/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      const asset = await fetch(
        new URL(file ?? '', page.headers.get('location') ?? `${server.url}/docs`),
      );
      expect(asset.status).toBe(200);
      await asset.arrayBuffer();
    }
  });

  it('serves the document as OpenAPI 3.1, with a permission on every operation', async () => {
    const { status, body } = await server.client.get('/openapi.json');
    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    const operations = Object.values<object>(body.paths).flatMap((item) => Object.values(item));
    expect(operations.length).toBeGreaterThan(10);
    for (const operation of operations) {
      expect(operation).toHaveProperty('x-required-permission');
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]*_[a-z][A-Za-z]*$/);
    }
  });
});

describe('shutting down', () => {
  it('under load fails no request on an open connection, and tells the clients to go', async () => {
    const own = await startServer({ trustedProxies: ['127.0.0.1/32'] });
    const outcomes: number[] = [];
    const load = async () => {
      for (let count = 0; ; count += 1) {
        // From many addresses: so many refusals of a single one would be a flood.
        const from = { 'x-forwarded-for': `192.0.2.${count % 256}` };
        const answer = await fetch(`${own.url}/v1/me`, { headers: from });
        outcomes.push(answer.status);
        await answer.arrayBuffer();
        if (answer.headers.get('connection') === 'close') return;
      }
    };
    const clients = Array.from({ length: 8 }, load);
    while (outcomes.length < 50) await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    await own.close();
    await Promise.all(clients);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(new Set(outcomes)).toEqual(new Set([401]));
  });
});
