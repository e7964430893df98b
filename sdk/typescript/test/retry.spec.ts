import { describe, expect, it } from '@jest/globals';
import { createClient } from '../src/client.js';
import { retryAfterMs, retryingFetch, type RetryOptions } from '../src/retry.js';

/** A server that answers one after the other, and a clock that only writes down what it was to wait. */
function aServer(answers: Response[], options: RetryOptions = {}) {
  const requests: Request[] = [];
  const waits: number[] = [];
  const fetch = retryingFetch(options, {
    fetch: (request) => {
      requests.push(request as Request);
      return Promise.resolve(answers[requests.length - 1]!);
    },
    wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
    random: () => 0,
  });
  return { fetch, requests, waits };
}

const busy = (retryAfter?: string) =>
  new Response('{}', { status: 503, headers: retryAfter ? { 'Retry-After': retryAfter } : {} });
const aGet = () => new Request('http://claviger.example/v1/me');
const aPost = (headers = {}) =>
  new Request('http://claviger.example/v1/x', { method: 'POST', body: '{"a":1}', headers });

describe('retryingFetch', () => {
  it('waits as long as Retry-After says, else twice as long each time', async () => {
    const server = aServer([busy('7'), busy(), busy(), new Response('ok')]);
    expect((await server.fetch(aGet())).status).toBe(200);
    expect(server.waits).toEqual([7000, 500, 1000]);
  });

  it('gives up after the last retry', async () => {
    const server = aServer([busy(), busy(), busy()], { retries: 2 });
    expect((await server.fetch(aGet())).status).toBe(503);
    expect(server.requests).toHaveLength(3);
  });

  it('does not wait longer than it may', async () => {
    const server = aServer([busy('31')]);
    expect((await server.fetch(aGet())).status).toBe(503);
    expect(server.waits).toEqual([]);
  });

  it('repeats a POST only with an Idempotency-Key, with the same body', async () => {
    const without = aServer([busy()]);
    expect((await without.fetch(aPost())).status).toBe(503);
    const server = aServer([busy(), new Response('ok')]);
    expect((await server.fetch(aPost({ 'Idempotency-Key': 'k' }))).status).toBe(200);
    expect(await server.requests[1]!.text()).toBe('{"a":1}');
  });

  it('leaves other refusals alone', async () => {
    const server = aServer([new Response('{}', { status: 500 })]);
    expect((await server.fetch(aGet())).status).toBe(500);
    expect(server.waits).toEqual([]);
  });
});

describe('retryAfterMs', () => {
  it('reads seconds and dates', () => {
    const now = Date.parse('2026-11-25T00:00:00Z');
    expect(retryAfterMs('120', now)).toBe(120_000);
    expect(retryAfterMs('Wed, 25 Nov 2026 00:00:10 GMT', now)).toBe(10_000);
    expect(retryAfterMs('Wed, 25 Nov 2020 00:00:10 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(null, now)).toBeUndefined();
  });
});

describe('createClient', () => {
  const aClient = (answer: () => Response) => {
    const requests: Request[] = [];
    const fetch = ((request: Request) => {
      requests.push(request);
      return Promise.resolve(answer());
    }) as typeof globalThis.fetch;
    return { requests, client: createClient({ baseUrl: 'http://c.example/', token: 't', fetch }) };
  };
  const json = () => Response.json({ data: [], paging: {} });
  const account = { organizationId: 'org_1', body: { name: 'A', role: 'viewer' } };

  it('gives every creating request an Idempotency-Key of its own, and others none', async () => {
    const { client, requests } = aClient(json);
    await client.serviceAccounts.create(account);
    await client.serviceAccounts.create(account);
    await client.serviceAccounts.create({ ...account, idempotencyKey: 'mine' });
    await client.serviceAccounts.list({ organizationId: 'org_1', search: 'a' });
    const keys = requests.map(({ headers }) => headers.get('Idempotency-Key'));
    expect(new Set(keys.slice(0, 2)).size).toBe(2);
    expect(keys.slice(2)).toEqual(['mine', null]);
    expect(requests[0]!.headers.get('Authorization')).toBe('Bearer t');
    expect(requests[3]!.url).toBe(
      'http://c.example/v1/organizations/org_1/service-accounts?search=a',
    );
  });

  it('says If-Match where it is told to', async () => {
    const { client, requests } = aClient(json);
    await client.organizations.delete({ organizationId: 'org_1', ifMatch: '"3"' });
    expect(requests[0]!.headers.get('If-Match')).toBe('"3"');
  });

  it('throws a ProblemError also for what is no problem document', async () => {
    const { client } = aClient(() => new Response('<html>', { status: 502 }));
    await expect(client.me.get()).rejects.toMatchObject({ status: 502, code: 'unknown' });
  });
});
