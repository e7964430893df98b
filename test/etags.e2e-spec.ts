import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aKey, anOrganization, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestPerson } from './factories.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { instanceAdministrator: true });
});
afterAll(() => server.close());

const tagOf = ({ headers }: Answer): string => headers.get('etag') ?? 'none';
const idOf = ({ headers }: Answer): string => headers.get('x-request-id') ?? '';
const get = (path: string, ifNoneMatch?: string) =>
  owner.client.get(path, ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch });

function change(verb: string, path: string, body: unknown, ifMatch?: string): Promise<Answer> {
  const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch };
  return owner.client.request(verb, path, body, headers);
}

async function actionsOf(answer: Answer): Promise<string[]> {
  return (await eventsOf(server, { requestId: idOf(answer) })).map(({ action }) => action).sort();
}

async function sql(text: string, ...values: unknown[]): Promise<void> {
  await server.database.system((tx) => tx.$executeRawUnsafe(text, ...values));
}

let counter = 0;

/** One kind of resource: how one is made, and a change of it. */
interface Kind {
  name: string;
  create: () => Promise<Answer>;
  patch: object;
}

const KINDS: Kind[] = [
  {
    name: 'organization',
    create: () => owner.client.post('/v1/organizations', { name: `Tagged ${counter++}` }),
    patch: { name: 'Renamed' },
  },
  {
    name: 'user',
    create: () =>
      owner.client.post(`${organization.path}/users`, {
        email: `tagged${counter++}@example.com`,
        name: 'Tagged',
        role: 'viewer',
      }),
    patch: { attributes: { team: 'x' } },
  },
  {
    name: 'service account',
    create: () =>
      owner.client.post(`${organization.path}/service-accounts`, {
        name: `Tagged ${counter++}`,
        role: 'viewer',
      }),
    patch: { description: 'Changed' },
  },
  {
    name: 'key',
    create: async () => {
      const { path } = await aServiceAccount(server, organization);
      return owner.client.post(`${path}/keys`, { name: 'Tagged' });
    },
    patch: { name: 'Changed' },
  },
  {
    name: 'role',
    create: () =>
      owner.client.post(`${organization.path}/roles`, {
        key: `tagged-${counter++}`,
        name: 'Tagged',
        permissions: ['users:read'],
      }),
    patch: { name: 'Changed' },
  },
  {
    name: 'permission',
    create: () =>
      owner.client.post(`${organization.path}/permissions`, {
        permission: `tagged:action-${counter++}`,
        description: 'Tagged.',
      }),
    patch: { description: 'Changed.' },
  },
];

const locationOf = (answer: Answer): string => answer.headers.get('location') ?? '';

describe.each(KINDS)('the ETag of a $name', ({ create, patch }) => {
  it('is the same where it is made and where it is read, and begins with the version', async () => {
    const created = await create();
    const read = await get(locationOf(created));
    expect(tagOf(created)).toMatch(/^"1-[\w-]+"$/);
    expect(tagOf(read)).toBe(tagOf(created));
    expect(JSON.stringify(read.body)).not.toContain(tagOf(read).slice(1, -1));
    const head = await owner.client.request('HEAD', locationOf(created));
    expect([head.status, tagOf(head)]).toEqual([200, tagOf(read)]);
  });

  it('moves with a change and not without', async () => {
    const path = locationOf(await create());
    const before = await get(path);
    const changed = await change('PATCH', path, patch);
    expect(tagOf(changed)).toMatch(/^"2-/);
    expect(tagOf(await get(path))).toBe(tagOf(changed));
    expect(tagOf(changed)).not.toBe(tagOf(before));
    expect(tagOf(await change('PATCH', path, patch))).toBe(tagOf(changed));
  });

  it('gives 304 without a body to whoever has it, until it changes', async () => {
    const path = locationOf(await create());
    const tag = tagOf(await get(path));
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await get(path, known);
      expect([answer.status, answer.body, tagOf(answer)]).toEqual([304, undefined, tag]);
      const [event, ...more] = await eventsOf(server, { requestId: idOf(answer) });
      expect(more).toEqual([]);
      expect(event!.event).toMatchObject({
        action: 'http.request',
        outcome: 'success',
        status: 304,
      });
    }
    expect((await get(path, '"other"')).status).toBe(200);
    expect((await get(path, 'nonsense')).status).toBe(200);
    await change('PATCH', path, patch);
    expect((await get(path, tag)).status).toBe(200);
  });

  it('keeps a change to the version that its caller has seen', async () => {
    const path = locationOf(await create());
    const first = await get(path);
    const tag = tagOf(first);
    for (const stale of ['"other"', `W/${tag}`, `"other", W/${tag}`, '"1"']) {
      const answer = await change('PATCH', path, patch, stale);
      expect(answer.body).toMatchObject({ status: 412, code: 'precondition_failed' });
      expect(answer.headers.get('etag')).toBeNull();
      expect(await actionsOf(answer)).toEqual(['http.request']);
    }
    expect((await get(path)).body).toEqual(first.body);
    const changed = await change('PATCH', path, patch, `"other", ${tag}`);
    expect(changed.status).toBe(200);
    expect((await change('PATCH', path, patch, tag)).status).toBe(412);
    expect((await change('DELETE', path, undefined, tag)).status).toBe(412);
    expect((await change('DELETE', path, undefined, tagOf(changed))).status).toBe(204);
  });

  it('lets * through for whatever is there', async () => {
    const path = locationOf(await create());
    expect((await change('PATCH', path, patch, '*')).status).toBe(200);
    expect((await change('DELETE', path, undefined, '*')).status).toBe(204);
  });

  it('must be one: anything else in If-Match is 400, and nothing is changed', async () => {
    const path = locationOf(await create());
    const tag = tagOf(await get(path));
    for (const nonsense of [tag.slice(1, -1), '3', `${tag} and more`, '']) {
      const answer = await change('PATCH', path, patch, nonsense);
      expect(answer.body).toMatchObject({ status: 400, code: 'invalid_if_match' });
    }
    expect(tagOf(await get(path))).toBe(tag);
  });

  it('lets one of two changes at once through', async () => {
    const path = locationOf(await create());
    const tag = tagOf(await get(path));
    const answers = await Promise.all([
      change('PATCH', path, patch, tag),
      change('PATCH', path, patch, tag),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});

describe.each<[string, string, () => Promise<string>]>([
  ['disable', 'enable', async () => (await aServiceAccount(server, organization)).path],
  [
    'disable',
    'enable',
    async () => `${organization.path}/users/${(await aPerson(server, organization)).id}`,
  ],
  ['suspend', 'resume', async () => (await anOrganization(server)).path],
])('POST …/%s and …/%s', (off, on, create) => {
  it('heed If-Match and answer with the new ETag', async () => {
    const path = await create();
    const first = await change('POST', `${path}/${off}`, undefined);
    const tag = tagOf(first);
    expect(tag).toMatch(/^"2-/);
    for (const verb of [off, on]) {
      const stale = await change('POST', `${path}/${verb}`, undefined, '"1-x"');
      expect(stale.body).toMatchObject({ status: 412, code: 'precondition_failed' });
      expect(await actionsOf(stale)).toEqual(['http.request']);
    }
    const second = await change('POST', `${path}/${on}`, undefined, tag);
    expect([second.status, tagOf(second)]).toEqual([200, expect.stringMatching(/^"3-/)]);
    expect((await change('POST', `${path}/${off}`, undefined, tag)).status).toBe(412);
    expect((await change('POST', `${path}/${off}`, undefined, tagOf(second))).status).toBe(200);
  });
});

describe('the order of refusals', () => {
  it('is 404 before 412', async () => {
    const gone = locationOf(await KINDS[2]!.create());
    await owner.client.delete(gone);
    const keys = `${(await aServiceAccount(server, organization)).path}/keys`;
    for (const path of [gone, `${organization.path}/roles/none`, `${keys}/key_x`]) {
      const answer = await change('PATCH', path, { name: 'X' }, '"1-x"');
      expect(answer.body).toMatchObject({ status: 404, code: 'not_found' });
      expect((await change('DELETE', path, undefined, '*')).status).toBe(404);
    }
  });

  it('is 412 before 409', async () => {
    const account = await aServiceAccount(server, organization);
    const revoked = await aKey(server, organization, account, { revokedAt: new Date() });
    const builtIn = `${organization.path}/roles/viewer`;
    for (const [path, code] of [
      [revoked.path, 'key_revoked'],
      [builtIn, 'built_in_role'],
    ] as const) {
      const tag = tagOf(await get(path));
      const body = { name: 'X' };
      expect((await change('PATCH', path, body, '"1-x"')).body).toMatchObject({ status: 412 });
      expect((await change('PATCH', path, body, tag)).body).toMatchObject({ status: 409, code });
    }
  });
});

describe('what an ETag covers', () => {
  it('is not when, or from where, something was last used', async () => {
    const account = await aServiceAccount(server, organization);
    const person = await aPerson(server, organization);
    const paths = [
      account.path,
      `${account.path}/keys/${account.keyId}`,
      `${organization.path}/users/${person.id}`,
    ];
    const before = await Promise.all(paths.map((path) => get(path)));
    await sql('UPDATE service_accounts SET last_used_at = now() WHERE id = $1', account.id);
    await sql(
      "UPDATE keys SET last_used_at = now(), last_used_ip = '203.0.113.7' WHERE id = $1",
      account.keyId,
    );
    await sql('UPDATE users SET last_login_at = now() WHERE id = $1', person.id);
    for (const [index, path] of paths.entries()) {
      const after = await get(path);
      expect(after.body).not.toEqual(before[index]!.body);
      expect(tagOf(after)).toBe(tagOf(before[index]!));
    }
  });

  it('is not how many others refer to it', async () => {
    const account = await aServiceAccount(server, organization);
    const role = `${organization.path}/roles/verifier`;
    const before = [await get(account.path), await get(role)];
    await aKey(server, organization, account);
    await aServiceAccount(server, organization, { role: 'verifier' });
    const after = [await get(account.path), await get(role)];
    expect(after.map(tagOf)).toEqual(before.map(tagOf));
    expect(after[0]!.body.keyCount).toBe(before[0]!.body.keyCount + 1);
    expect(after[1]!.body.memberCount).toBe(before[1]!.body.memberCount + 1);
  });

  it('is the status of a key by the clock: no 304 says that an expired key is active', async () => {
    const account = await aServiceAccount(server, organization);
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { path, id } = await aKey(server, organization, account, { expiresAt });
    const [active, tag] = [await get(path), tagOf(await get(path))];
    expect(active.body.status).toBe('active');
    // As if an hour had passed for the database, which leaves no trace in the row's own version.
    await sql("UPDATE keys SET expires_at = now() - interval '1 second' WHERE id = $1", id);
    const later = await get(path, tag);
    expect([later.status, later.body.status]).toEqual([200, 'expired']);
    expect((await change('PATCH', path, { name: 'X' }, tag)).status).toBe(412);
  });

  it('is what is shown of others: the name of the role and of the owner', async () => {
    const person = await aPerson(server, organization);
    const key = `shown-${counter++}`;
    const role = { key, name: 'Before', permissions: [] };
    await owner.client.post(`${organization.path}/roles`, role);
    const account = await aServiceAccount(server, organization, { role: key, ownerId: person.id });
    let tag = tagOf(await get(account.path));
    const moves = async () => {
      const answer = await get(account.path, tag);
      expect([answer.status, tagOf(answer) === tag]).toEqual([200, false]);
      tag = tagOf(answer);
      expect((await get(account.path, tag)).status).toBe(304);
    };
    await owner.client.patch(`${organization.path}/roles/${key}`, { name: 'After' });
    await moves();
    await sql("UPDATE users SET name = 'Another' WHERE id = $1", person.id);
    await moves();
    await owner.client.delete(`${organization.path}/users/${person.id}`);
    await moves();
  });
});

describe('the documentation', () => {
  it('names the headers, 304 and 412 on every operation about one resource', async () => {
    const { body } = await server.client.get('/openapi.json');
    const operations = Object.values<any>(body.paths).flatMap((item) =>
      Object.entries<any>(item).map(([verb, operation]) => ({ verb, ...operation })),
    );
    const with412 = operations.filter(({ responses }) => responses['412']);
    const with304 = operations.filter(({ responses }) => responses['304']);
    const ids = (list: { operationId: string }[]) => list.map(({ operationId }) => operationId);
    for (const slice of ['organizations', 'users', 'serviceAccounts', 'keys', 'roles']) {
      expect(ids(with304)).toContain(`${slice}_get`);
      expect(ids(with412)).toContain(`${slice}_update`);
    }
    for (const { parameters, responses } of with304) {
      expect(parameters.map(({ name }: { name: string }) => name)).toContain('If-None-Match');
      expect(responses['200'].headers).toHaveProperty(['ETag']);
    }
    for (const { parameters } of with412) {
      expect(parameters.map(({ name }: { name: string }) => name)).toContain('If-Match');
    }
    expect(JSON.stringify(body)).not.toContain('x-etagged');
  });
});
