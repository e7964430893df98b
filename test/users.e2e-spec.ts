import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let admin: TestPerson;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
});
afterAll(() => server.close());

const pathOf = ({ id }: { id: string }, of = organization) => `${of.path}/users/${id}`;
const anEmail = () => `new${(counter += 1)}@example.com`;
const codeOf = ({ status, body }: { status: number; body: { code: string } }) => [
  status,
  body.code,
];

describe('POST /v1/organizations/{organizationId}/users', () => {
  it('201: an integration makes a user on the fly', async () => {
    const account = await aServiceAccount(server, organization, { role: 'provisioner' });
    const email = anEmail();
    const answer = await account.client.post(`${organization.path}/users`, {
      email: email.toUpperCase(),
      name: 'Grace Hopper',
      role: 'viewer',
      attributes: { team: 'Compilers', floor: 3, remote: false, tags: ['a', 1, true], none: [] },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^usr_/),
      email,
      name: 'Grace Hopper',
      role: { key: 'viewer', name: 'Viewer' },
      status: 'active',
      attributes: { team: 'Compilers', floor: 3, remote: false, tags: ['a', 1, true], none: [] },
      lastLoginAt: null,
      createdAt: expect.stringMatching(/Z$/),
      createdBy: { type: 'serviceAccount', id: account.id, name: account.name },
    });
    expect(answer.headers.get('location')).toBe(pathOf(answer.body));
    expect((await owner.client.get(pathOf(answer.body))).body).toEqual(answer.body);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId, action: 'user.created' });
    expect(event?.event).toMatchObject({
      actor: { type: 'serviceAccount', name: account.name },
      key: { id: account.keyId },
      targets: [{ type: 'user', id: answer.body.id, name: 'Grace Hopper' }],
    });
  });

  it('201: a person who exists elsewhere is answered as a new one, and keeps their name', async () => {
    const elsewhere = await aPerson(server, await anOrganization(server), { name: 'Own Name' });
    const { email, password } = elsewhere;
    expect((await server.client.post('/v1/sessions', { email, password })).status).toBe(201);
    const body = { email, name: 'Other Name', role: 'viewer' };
    const answer = await owner.client.post(`${organization.path}/users`, body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ id: elsewhere.id, name: 'Other Name', lastLoginAt: null });
    const shown = await owner.client.get(pathOf(elsewhere));
    expect(shown.body.name).toBe('Own Name');
  });

  it('409: the same e-mail twice, in any case, names the user who has it', async () => {
    const body = { email: anEmail(), name: 'Once', role: 'viewer' };
    const first = await owner.client.post(`${organization.path}/users`, body);
    const second = await owner.client.post(`${organization.path}/users`, {
      ...body,
      email: body.email.toUpperCase(),
    });
    expect(codeOf(second)).toEqual([409, 'email_taken']);
    expect(second.body.detail).toContain(first.body.id);
  });

  it('201 and 409: of two at once with one e-mail exactly one succeeds', async () => {
    const body = { email: anEmail(), name: 'Race', role: 'viewer' };
    const answers = await Promise.all([
      owner.client.post(`${organization.path}/users`, body),
      admin.client.post(`${organization.path}/users`, body),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('403: nobody grants more than they hold, and nothing is made', async () => {
    const email = anEmail();
    const body = { email, name: 'No', role: 'owner' };
    const answer = await admin.client.post(`${organization.path}/users`, body);
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    expect(answer.body.required).toBe('organization:delete');
    const found = await server.database.system((tx) => tx.user.findUnique({ where: { email } }));
    expect(found).toBeNull();
  });

  it('403: viewers make nobody', async () => {
    const viewer = await aPerson(server, organization, { role: 'viewer' });
    const body = { email: anEmail(), name: 'No', role: 'viewer' };
    const answer = await viewer.client.post(`${organization.path}/users`, body);
    expect([answer.status, answer.body.required]).toEqual([403, 'users:manage']);
  });

  it('400: names a role that is none', async () => {
    const body = { email: anEmail(), name: 'No', role: 'emperor' };
    const answer = await owner.client.post(`${organization.path}/users`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0]).toMatchObject({ pointer: '/role', code: 'unknown_role' });
  });

  it.each([
    [{ email: 'no address' }, '/email'],
    [{ email: 'ünïcode@example.com' }, '/email'],
    [{ name: ' padded' }, '/name'],
    [{ name: '' }, '/name'],
    [{ status: 'active' }, '/status'],
    [{ organizationId: 'org_x' }, '/organizationId'],
    [{ attributes: [] }, '/attributes'],
    [{ attributes: null }, '/attributes'],
    [{ attributes: { nested: { a: 1 } } }, '/attributes/nested'],
    [{ attributes: { list: ['a', null] } }, '/attributes/list/1'],
    [{ attributes: { 'bad key': 1 } }, '/attributes/bad key'],
    [{ attributes: { 'a/b': {} } }, '/attributes/a~1b'],
  ])('400: %j is refused at %s', async (fault, pointer) => {
    const body = { email: anEmail(), name: 'No', role: 'viewer', ...fault };
    const answer = await owner.client.post(`${organization.path}/users`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('400: takes 64 attributes, not 65', async () => {
    const attributes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
    const path = `${organization.path}/users`;
    const body = { name: 'Many', role: 'viewer' };
    const fits = await owner.client.post(path, {
      ...body,
      email: anEmail(),
      attributes: attributes(64),
    });
    expect(fits.status).toBe(201);
    const exceeds = await owner.client.post(path, {
      ...body,
      email: anEmail(),
      attributes: attributes(65),
    });
    expect(exceeds.status).toBe(400);
  });
});

describe('GET /v1/organizations/{organizationId}/users', () => {
  const ids = ({ body }: { body: { data: { id: string }[] } }) => body.data.map(({ id }) => id);

  it('200: filters, searches and sorts, page by page', async () => {
    const own = await anOrganization(server);
    const people = {
      cleo: await aPerson(server, own, {
        name: 'Cleo 50%',
        email: 'cleo@list.example',
        role: 'owner',
      }),
      // Between the other two, whatever the case.
      ben: await aPerson(server, own, { name: 'ben', email: 'z_ben@list.example', role: 'viewer' }),
      ann: await aPerson(server, own, {
        name: 'Ann',
        email: 'ann@list.example',
        role: 'viewer',
        status: 'disabled',
      }),
    };
    const { ann, ben, cleo } = people;
    const get = (query: string) => cleo.client.get(`${own.path}/users?${query}`);
    expect(ids(await get(''))).toEqual([cleo.id, ben.id, ann.id]);
    expect(ids(await get('sort=-createdAt'))).toEqual([ann.id, ben.id, cleo.id]);
    expect(ids(await get('sort=name'))).toEqual([ann.id, ben.id, cleo.id]);
    expect(ids(await get('sort=-email'))).toEqual([ben.id, cleo.id, ann.id]);
    expect(ids(await get('status=disabled'))).toEqual([ann.id]);
    expect(ids(await get('role=viewer&status=active'))).toEqual([ben.id]);
    expect(ids(await get('search=LIST.EXAMPLE&role=viewer&sort=name'))).toEqual([ann.id, ben.id]);
    expect(ids(await get(`search=${encodeURIComponent('50%')}`))).toEqual([cleo.id]);
    expect(ids(await get('search=z_b'))).toEqual([ben.id]);
    expect(ids(await get('search=c_eo'))).toEqual([]);
    for (const sort of ['createdAt', 'name', 'email', 'lastLoginAt'].flatMap((by) => [
      by,
      `-${by}`,
    ])) {
      const whole = ids(await get(`sort=${sort}`));
      const first = await get(`sort=${sort}&limit=2`);
      const second = await get(`sort=${sort}&limit=2&after=${first.body.paging.next.after}`);
      expect([...ids(first), ...ids(second)]).toEqual(whole);
      expect(second.body.paging).toEqual({});
    }
  });

  it('200: sorts by the last login that it shows', async () => {
    const own = await anOrganization(server);
    const people: TestPerson[] = [];
    for (const name of ['Never', 'Early', 'Late', 'Asked']) {
      people.push(await aPerson(server, own, { name }));
    }
    const [never, early, late, asked] = people.map(({ id }) => id);
    const change = async (id: string, lastLoginAt: string) =>
      server.database.system((tx) => tx.user.update({ where: { id }, data: { lastLoginAt } }));
    await change(early!, '2026-01-01T00:00:00Z');
    await change(late!, '2026-02-01T00:00:00Z');
    await change(asked!, '2026-03-01T00:00:00Z');
    // Somebody who is only invited: when they log in elsewhere is nobody's business here.
    await server.database.system((tx) =>
      tx.membership.updateMany({
        where: { organizationId: own.id, userId: asked! },
        data: { status: 'invited', invitedName: 'Asked' },
      }),
    );
    const get = (query: string) => people[0]!.client.get(`${own.path}/users?${query}`);
    const latest = await get('sort=-lastLoginAt');
    expect(ids(latest)).toEqual([late, early, asked, never]);
    expect(latest.body.data[2].lastLoginAt).toBeNull();
    expect(ids(await get('sort=lastLoginAt'))).toEqual([never, asked, early, late]);
  });

  it('400: refuses a cursor of another organization', async () => {
    const first = await owner.client.get(`${organization.path}/users?limit=1`);
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const { after } = first.body.paging.next;
    const answer = await stranger.client.get(`${other.path}/users?limit=1&after=${after}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/after');
  });

  it('400: refuses an unknown status', async () => {
    expect((await owner.client.get(`${organization.path}/users?status=gone`)).status).toBe(400);
  });
});

describe('GET /v1/organizations/{organizationId}/users/{userId}', () => {
  it('404: a person of another organization is answered as nobody', async () => {
    const other = await anOrganization(server);
    const theirs = await aPerson(server, other);
    const seen = await owner.client.get(pathOf(theirs));
    const unknown = await owner.client.get(pathOf({ id: newId('usr') }));
    expect([seen.status, unknown.status]).toEqual([404, 404]);
    expect(seen.body.detail).toBe(unknown.body.detail);
  });
});
