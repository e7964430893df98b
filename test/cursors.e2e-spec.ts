import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorsOf, startServer, type TestServer } from './harness.js';
import { OPERATIONS } from './fields.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';

/** Every list and every export of an organization, from the OpenAPI document, and cursors that are not its own. */
interface Tenant {
  organization: TestOrganization;
  owner: TestPerson;
  account: TestServiceAccount;
}

const LISTS = OPERATIONS.filter(
  ({ path, parameters }) =>
    path.includes('{organizationId}') && parameters.some(({ name }) => name === 'after'),
);
const EXPORT = /\/exports?(?:\/|$)/;

let server: TestServer;
let own: Tenant;
let other: Tenant;

beforeAll(async () => {
  server = await startServer();
  own = await aTenant();
  other = await aTenant();
});
afterAll(() => server.close());

/** With two of everything that is listed. */
async function aTenant(): Promise<Tenant> {
  const organization = await anOrganization(server);
  const owner = await aPerson(server, organization);
  await aPerson(server, organization);
  await aServiceAccount(server, organization);
  const account = await aServiceAccount(server, organization);
  await aKey(server, organization, account);
  for (const email of ['a@example.com', 'b@example.com']) {
    const input = { email, name: 'New', role: 'viewer' };
    await owner.client.post(`${organization.path}/invitations`, input);
  }
  return { organization, owner, account };
}

function pathOf(path: string, { organization, account }: Tenant): string {
  return path
    .replace('{organizationId}', organization.id)
    .replace('{serviceAccountId}', account.id)
    .replace('{keyId}', account.keyId);
}

/** A cursor of this list, if it has two pages. */
async function cursorOf(path: string, tenant: Tenant): Promise<string | undefined> {
  const { client } = tenant.owner;
  if (!EXPORT.test(path)) {
    const { status, body } = await client.get(`${pathOf(path, tenant)}?limit=1`);
    expect([path, status]).toEqual([path, 200]);
    return body.paging?.next?.after;
  }
  const query = '?limit=1&cursors=true&format=ndjson';
  const { body } = await client.get(pathOf(path, tenant) + query);
  return JSON.parse(String(body).split('\n')[0]!).cursor;
}

function tampered(cursor: string): string[] {
  const middle = Math.floor(cursor.length / 2);
  const other = cursor[middle] === 'A' ? 'B' : 'A';
  return [
    cursor.slice(0, middle) + other + cursor.slice(middle + 1),
    cursor.slice(1),
    cursor.slice(0, -1),
    `${cursor}A`,
    `${cursor}=`,
    Buffer.from('["a"]').toString('base64url'),
    'x',
    '',
  ];
}

describe('a cursor', () => {
  it('that was tampered with, or is of another organization or list, is 400 on /after everywhere', async () => {
    expect(LISTS.length).toBeGreaterThan(12);
    const refused = [400, [['/after', 'invalid_cursor']]];
    const paged: string[] = [];
    let last: string | undefined;
    for (const { id, path } of LISTS) {
      const [mine, theirs] = [await cursorOf(path, own), await cursorOf(path, other)];
      const answerTo = (after: string) =>
        own.owner.client.get(`${pathOf(path, own)}?after=${encodeURIComponent(after)}`);
      const strangers = [theirs, last, ...tampered(mine ?? 'WyJhIl0')];
      for (const after of strangers.filter((one) => one !== undefined)) {
        expect([id, after, ...errorsOf(await answerTo(after))]).toEqual([id, after, ...refused]);
      }
      if (mine === undefined) continue;
      expect([id, (await answerTo(mine)).status]).toEqual([id, 200]);
      paged.push(id);
      last = mine;
    }
    expect(paged.length).toBeGreaterThan(9);
  });
});
