import { describe, expect, it } from '@jest/globals';
import { GateMetrics, Metrics } from './metrics.js';

function aWorker(depth: number) {
  const gate = new GateMetrics();
  gate.watchDepth(() => depth);
  return new Metrics(gate);
}

/** As it comes from another process. */
const measuredBy = async (metrics: Metrics) =>
  JSON.parse(JSON.stringify(await metrics.measure())) as Awaited<ReturnType<Metrics['measure']>>;

describe('the metrics of several workers', () => {
  it('are summed by series; what cannot be summed is not', async () => {
    const [one, other] = [aWorker(3), aWorker(4)] as const;
    one.answered('GET', '/v1/me', 200, 0.003);
    other.answered('GET', '/v1/me', 200, 0.2);
    other.answered('GET', '/v1/me', 401, 0.2);
    one.sumOver(() => Promise.all([one, other].map(measuredBy)));
    const text = await one.expose();
    const series = (name: string) =>
      text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    expect(series('claviger_http_requests_total')).toEqual([
      'claviger_http_requests_total{method="GET",route="/v1/me",status="200"} 2',
      'claviger_http_requests_total{method="GET",route="/v1/me",status="401"} 1',
    ]);
    const bucket = 'claviger_http_request_duration_seconds_bucket';
    expect(text).toContain(`${bucket}{le="0.005",method="GET",route="/v1/me"} 1`);
    expect(text).toContain(`${bucket}{le="+Inf",method="GET",route="/v1/me"} 3`);
    expect(series('claviger_audit_gate_queue_depth')).toEqual([
      'claviger_audit_gate_queue_depth 7',
    ]);
    expect(series('claviger_workers')).toEqual(['claviger_workers 2']);
    const [start] = series('process_start_time_seconds');
    expect(Number(start?.split(' ')[1])).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(await other.expose()).not.toContain('claviger_workers');
  });
});
