import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Platform, statusOf } from './http-fixture.js';

const platform = new Platform();

beforeAll(() => platform.start());

afterAll(() => platform.stop());

async function timed(answer: Promise<string>): Promise<{ status: number; seconds: number }> {
  const start = performance.now();
  const status = statusOf(await answer);
  return { status, seconds: (performance.now() - start) / 1_000 };
}

describe('slow clients', () => {
  it('get 408 after 10 s of headers or 15 s of a body, while others are served', async () => {
    const head = 'POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const headers = timed(platform.raw(head));
    const body = timed(platform.raw(`${head}Content-Length: 10\r\n\r\n{`));
    for (let stalled = 0; stalled < 200; stalled += 1) void platform.raw('GET /v1');
    const quick = await timed(platform.rawGet('/v1/things'));
    expect(quick).toMatchObject({ status: 200 });
    expect(quick.seconds).toBeLessThan(1);
    const [slowHeaders, slowBody] = await Promise.all([headers, body]);
    expect(slowHeaders.status).toBe(408);
    expect(slowHeaders.seconds).toBeGreaterThan(9.5);
    expect(slowHeaders.seconds).toBeLessThan(12);
    expect(slowBody.status).toBe(408);
    expect(slowBody.seconds).toBeGreaterThan(14.5);
    expect(slowBody.seconds).toBeLessThan(17);
  });
});
