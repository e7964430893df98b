import { describe, expect, it } from '@jest/globals';
import { createClient, etagOf } from '../src/index.js';

/** A client whose server answers every request like this, and what was asked. */
function aClient(body: unknown, headers: HeadersInit = {}) {
  const requests: Request[] = [];
  const fetch = ((request: Request) => {
    requests.push(request);
    return Promise.resolve(Response.json(body, { headers }));
  }) as typeof globalThis.fetch;
  return { requests, client: createClient({ baseUrl: 'http://c.example/', token: 't', fetch }) };
}

const ids = { organizationId: 'org_1', roleKey: 'auditors' };

describe('etagOf', () => {
  it('tells the tag of what was read, without a trace in it', async () => {
    const { client, requests } = aClient({ key: 'auditors' }, { ETag: '"3-abc"' });
    const role = await client.roles.get(ids);
    expect(etagOf(role)).toBe('"3-abc"');
    expect(Reflect.ownKeys(role)).toEqual(['key']);
    const changed = await client.roles.update({
      ...ids,
      body: { name: 'A' },
      ifMatch: etagOf(role),
    });
    expect(requests[1]!.headers.get('If-Match')).toBe('"3-abc"');
    expect(etagOf(changed)).toBe('"3-abc"');
  });

  it('knows none of a copy, of the items of a list, or of what came without one', async () => {
    const tagged = aClient({ data: [{ key: 'auditors' }], paging: {} }, { ETag: '"1-a"' });
    const page = await tagged.client.roles.list(ids);
    expect(etagOf({ ...page })).toBeUndefined();
    expect(etagOf(page.data[0]!)).toBeUndefined();
    const untagged = aClient({ key: 'auditors' });
    const role = await untagged.client.roles.get(ids);
    expect(etagOf(role)).toBeUndefined();
    await untagged.client.roles.update({ ...ids, body: { name: 'A' }, ifMatch: etagOf(role) });
    expect(untagged.requests[1]!.headers.has('If-Match')).toBe(false);
  });
});
