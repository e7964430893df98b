import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestKey,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let account: TestServiceAccount;
let key: TestKey;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
  account = await aServiceAccount(server, organization, { role: 'owner' });
  key = await aKey(server, organization, account, { expiresAt: new Date(fromNow(3600)) });
  const settings = { maxKeyLifetimeSeconds: 7200 };
  const changed = await owner.client.patch(organization.path, { settings });
  expect(changed.status).toBe(200);
});
afterAll(() => server.close());

const fromNow = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

/** As it stands in the body: `1e400` is nothing that a number could hold. */
const EXPIRIES: [string, () => string][] = [
  ['in the past', () => JSON.stringify(fromNow(-60))],
  ['this very moment', () => JSON.stringify(fromNow(0))],
  ['the year 1', () => '"0001-01-01T00:00:00Z"'],
  ['beyond what the organization allows', () => JSON.stringify(fromNow(7260))],
  ['never, where the organization has a limit', () => 'null'],
  ['the year 9999', () => '"9999-12-31T23:59:59Z"'],
  ['the year 275760', () => '"+275760-09-13T00:00:00.000Z"'],
  ['the year 275760 without its sign', () => '"275760-09-13T00:00:00Z"'],
  ['a negative year', () => '"-000001-01-01T00:00:00Z"'],
  ['a negative number', () => '-1'],
  ['a number of seconds', () => '3600'],
  ['1e400', () => '1e400'],
  ['1e400 as text', () => '"1e400"'],
  ['-1e400', () => '-1e400'],
];

const PLACES: [string, string, () => string, (value: string) => string, string][] = [
  [
    'POST',
    '…/keys',
    () => `${account.path}/keys`,
    (value) => `{"name":"New","expiresAt":${value}}`,
    '/expiresAt',
  ],
  ['PATCH', '…/keys/{keyId}', () => key.path, (value) => `{"expiresAt":${value}}`, '/expiresAt'],
  [
    'POST',
    '…/keys/{keyId}/rotate',
    () => `${key.path}/rotate`,
    (value) => `{"expiresAt":${value}}`,
    '/expiresAt',
  ],
  [
    'POST',
    '…/service-accounts',
    () => `${organization.path}/service-accounts`,
    (value) => `{"name":"New","role":"viewer","key":{"expiresAt":${value}}}`,
    '/key/expiresAt',
  ],
];

/** What there is of keys, less when they were used. */
function keys() {
  return server.database.system((tx) =>
    tx.key.findMany({ omit: { lastUsedAt: true, lastUsedIp: true }, orderBy: { id: 'asc' } }),
  );
}

describe.each(PLACES)('%s %s', (method, _route, path, body, pointer) => {
  it.each(EXPIRIES)(
    '400: an expiry that is %s names its field, and nothing is made',
    async (_what, value) => {
      const before = await keys();
      const answer = await owner.client.request(method, path(), body(value()));
      expect(answer.status).toBe(400);
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
        pointer,
      ]);
      expect(await keys()).toEqual(before);
    },
  );
});

describe.each([
  ['…/keys/{keyId}/rotate', () => `${key.path}/rotate`],
  ['/v1/me/key/rotate', () => '/v1/me/key/rotate'],
])('POST %s', (_route, path) => {
  it.each(['-1', '604801', '1e400', '-1e400', '1.5', '"60"', 'null', '1e21'])(
    '400: an overlap of %s names its field, and nothing is made',
    async (value) => {
      const before = await keys();
      const answer = await account.client.request('POST', path(), `{"overlapSeconds":${value}}`);
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ pointer: '/overlapSeconds' }]);
      expect(await keys()).toEqual(before);
    },
  );
});

describe('PATCH /v1/organizations/{organizationId}', () => {
  it.each(['-1', '0', '3599', '1e400', '1e21', '3600.5', '"7200"'])(
    '400: a longest life of %s names its field',
    async (value) => {
      const body = `{"settings":{"maxKeyLifetimeSeconds":${value}}}`;
      const answer = await owner.client.request('PATCH', organization.path, body);
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ pointer: '/settings/maxKeyLifetimeSeconds' }]);
    },
  );
});
