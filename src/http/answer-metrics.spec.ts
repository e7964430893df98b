import { describe, expect, it } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { AnswerMetrics } from './answer-metrics.js';

const NAME = 'claviger_http_request_duration_seconds';
const SECONDS = [0, 0.001, 0.0011, 0.0025, 0.02, 0.3, 5, 5.1, 60];

describe('answers by operation', () => {
  it('are shown as prom-client shows its own histograms', async () => {
    const registry = new Registry();
    const metrics = new AnswerMetrics(registry);
    const theirs = new Registry();
    const histogram = new Histogram({
      name: NAME,
      help: 'From the first hook to the last byte, by method and route template.',
      labelNames: ['method', 'route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [theirs],
    });
    for (const [index, seconds] of SECONDS.entries()) {
      const labels = { method: index % 2 === 0 ? 'GET' : 'POST', route: '/v1/me' };
      metrics.note(labels.method, labels.route, 200, seconds);
      histogram.observe(labels, seconds);
    }
    expect(await registry.getSingleMetricAsString(NAME)).toBe(
      await theirs.getSingleMetricAsString(NAME),
    );
  });

  it('are counted by status, however often somebody looks', async () => {
    const registry = new Registry();
    const metrics = new AnswerMetrics(registry);
    const counts = () => registry.getSingleMetricAsString('claviger_http_requests_total');
    metrics.note('GET', '/v1/me', 200, 0.1);
    metrics.note('GET', '/v1/me', 401, 0.1);
    metrics.note('GET', '/v1/me', 200, 0.1);
    await counts();
    metrics.note('GET', 'none', 404, 0.1);
    expect((await counts()).split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      'claviger_http_requests_total{method="GET",route="/v1/me",status="200"} 2',
      'claviger_http_requests_total{method="GET",route="/v1/me",status="401"} 1',
      'claviger_http_requests_total{method="GET",route="none",status="404"} 1',
    ]);
  });
});
