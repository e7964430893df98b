import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collector, startCollector } from './collector.js';
import { emptyDatabase, onPostgres } from './database.js';
import { failToStart, killLeftovers, startProcess } from './process.js';

afterAll(killLeftovers);

const SERVER = 2;

let directory: string;
let database: { url: string; cleanup: () => Promise<void> } | undefined;
let collector: Collector;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-tracing-'));
  database = onPostgres ? await emptyDatabase() : undefined;
  collector = await startCollector();
});
afterEach(async () => {
  await collector.close();
  await database?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

/** A server on the database that these tests run on. */
function environment(more: Record<string, string>): Record<string, string> {
  const stored: Record<string, string> =
    database === undefined
      ? { DATA_DIR: join(directory, 'data') }
      : { DATABASE_URL: database.url, PEPPER: randomBytes(32).toString('base64') };
  return { ...stored, LOG_LEVEL: 'info', ...more };
}

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('is refused when it is no URL, in a sentence', async () => {
    const { code, output } = await failToStart(
      environment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }),
    );
    expect(code).toBe(1);
    expect(output).toContain(
      'OTEL_EXPORTER_OTLP_ENDPOINT: must be an http:// or https:// URL without user, query and fragment, like http://localhost:4318',
    );
  }, 60_000);

  it.each([
    ['has what makes traces loaded', true],
    ['has nothing of it loaded where it is not set', false],
  ])(
    '%s',
    async (_, isSet) => {
      const coverage = join(directory, 'coverage');
      const server = await startProcess(
        environment({
          // Node notes there which scripts it has loaded.
          NODE_V8_COVERAGE: coverage,
          ...(isSet ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } : {}),
        }),
      );
      expect((await server.client.get('/v1/me')).status).toBe(401);
      expect(await server.stop()).toBe(0);
      const scripts = readdirSync(coverage).flatMap((file) => {
        const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
          result: { url: string }[];
        };
        return result.map(({ url }) => url);
      });
      expect(scripts.some((url) => url.endsWith('/dist/tracing/tracing.js'))).toBe(true);
      const loaded = scripts.filter(
        (url) =>
          /\/node_modules\/@opentelemetry\/(?!api\/)/.test(url) || // prom-client wants the API
          /\/dist\/tracing\/(?!tracing(-config)?\.js)/.test(url),
      );
      if (isSet) expect(loaded.length).toBeGreaterThan(10);
      else expect(loaded).toEqual([]);
    },
    60_000,
  );
});

describe('SIGTERM', () => {
  it('hands over what has not been sent yet', async () => {
    const server = await startProcess(
      environment({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_BSP_SCHEDULE_DELAY: '600000',
      }),
    );
    const answer = await server.client.get('/v1/me');
    expect(collector.spans()).toEqual([]);
    expect(await server.stop()).toBe(0);
    const { server: span } = await collector.traceOf(answer.headers.get('x-request-id'));
    expect(span.name).toBe('GET /v1/me');
  }, 60_000);

  it('does not wait for a collector that is silent', async () => {
    collector.answer(null);
    const server = await startProcess(
      environment({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/` }),
    );
    expect((await server.client.get('/v1/me')).status).toBe(401);
    const begun = performance.now();
    expect(await server.stop()).toBe(0);
    // A second for the collector, which has been asked; the rest is what a stop takes anyway.
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(collector.headers()).toHaveLength(1);
  }, 60_000);
});

(onPostgres ? describe : describe.skip)('two workers', () => {
  it('send their traces each for itself', async () => {
    const server = await startProcess(
      environment({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, WORKERS: '2' }),
    );
    // Each connection goes to the next worker.
    for (let count = 0; count < 4; count += 1) {
      await server.client.get('/v1/me', { connection: 'close' });
    }
    expect(await server.stop()).toBe(0);
    const spans = collector.spans().filter(({ kind }) => kind === SERVER);
    expect(spans).toHaveLength(4);
    expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);
  }, 60_000);
});
