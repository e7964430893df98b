import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import { OPERATIONS } from './fields.js';
import { anOrganization, aPerson, type TestOrganization, type TestPerson } from './factories.js';
import { anotherAddress, from, nobodys } from './strangers.js';

/** Every path of the OpenAPI document × other methods, other kinds of bodies, and other ways to write the path. */
let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
});
afterAll(() => server.close());

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const PATHS = [...new Set(OPERATIONS.map(({ path }) => path))];
const methodsOf = (path: string) =>
  OPERATIONS.filter((one) => one.path === path).map(({ method }) => method);

const filled = (path: string) => nobodys(path, organization.id);

async function eventsAbout(answer: Answer) {
  return eventsOf(server, {
    requestId: answer.headers.get('x-request-id')!,
    action: 'http.request',
  });
}

it('a method that a path does not have is 405 with exactly those that it has, once on the trail', async () => {
  expect(PATHS.length).toBeGreaterThan(50);
  for (const path of PATHS) {
    const has = methodsOf(path);
    for (const method of METHODS.filter((one) => !has.includes(one))) {
      const answer = await owner.client.request(method, filled(path), undefined, from());
      const allow = [...has, ...(has.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
      const told = [method, path, answer.status, answer.headers.get('allow')];
      expect(told).toEqual([method, path, 405, allow]);
      expect(await eventsAbout(answer)).toHaveLength(1);
    }
  }
});

describe('a body of another kind', () => {
  const TYPES = [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'text/plain',
    'text/plain; charset=application/json',
  ];

  it('is 415 wherever JSON is asked for, and changes nothing', async () => {
    const json = OPERATIONS.filter(({ body }) => body !== undefined);
    const before = await changes();
    for (const { id, method, path, access } of json) {
      const client = access === 'none' ? server.client : owner.client;
      for (const type of TYPES) {
        const headers = { ...from(), 'content-type': type };
        const { status } = await client.request(method, filled(path), '{"name":"New"}', headers);
        expect([id, type, status]).toEqual([id, type, 415]);
      }
    }
    expect(await changes()).toBe(before);
  });

  const changes = () =>
    server.database.system((tx) =>
      tx.auditEvent.count({ where: { action: { not: 'http.request' } } }),
    );
});

/** Sends a request line as it is; answers the status. */
function rawStatus(target: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines = [
      `GET ${target} HTTP/1.1`,
      'Host: a',
      'Connection: close',
      `Authorization: Bearer ${token}`,
      `X-Forwarded-For: ${anotherAddress()}`,
    ];
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write(`${lines.join('\r\n')}\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(text.split(' ')[1])));
  });
}

describe('a path that is written in another way', () => {
  const SAME: [string, (path: string) => string][] = [
    ['in absolute form', (path) => `http://other.example${path}`],
    ['with an encoded letter', (path) => path.replace('/v1/', '/%76%31/')],
  ];
  const OTHER: [string, (path: string) => string][] = [
    ['with a slash behind it', (path) => `${path}/`],
    ['with a slash before it', (path) => `/${path}`],
    ['with a slash doubled', (path) => path.replace('/v1/', '/v1//')],
    ['with an encoded slash', (path) => path.replace('/v1/', '/v1%2F')],
    ['with a parameter', (path) => `${path};x=1`],
    ['in upper case', (path) => path.replace('/v1/', '/V1/')],
    ['with a step back', (path) => path.replace('/v1/', '/v1/me/../')],
  ];
  /** Each path that can be read, and what a viewer gets there: 200, 403 or 404. */
  const reading = PATHS.filter(
    (path) => path.startsWith('/v1/') && methodsOf(path).includes('GET'),
  );

  it('gets the same decision, or is not found: never more', async () => {
    const viewer = await aPerson(server, organization, { role: 'viewer' });
    for (const path of reading) {
      const plain = filled(path);
      const decided = await rawStatus(plain, viewer.token);
      for (const [what, change] of SAME) {
        const status = await rawStatus(change(plain), viewer.token);
        expect([path, what, status]).toEqual([path, what, decided]);
      }
      for (const [what, change] of OTHER) {
        const status = await rawStatus(change(plain), viewer.token);
        // What stands in the place of an id is an id that nobody has, or none.
        const fits = status === 404 || status === 400 || status === decided;
        expect([path, what, status, fits]).toEqual([path, what, status, true]);
        if (decided === 403) expect([403, 404, 400]).toContain(status);
      }
    }
  });
});

describe('control characters', () => {
  it('in a path or a user agent stay on one line of the log, and are no name', async () => {
    const logged = server.logs().length;
    const agent = 'a\u009b31mred\u009b2J';
    const answer = await owner.client.get('/v1/a%0d%0ab%1b%5b31m', { 'user-agent': agent });
    expect(answer.status).toBe(404);
    const [event] = await eventsAbout(answer);
    expect(event!.event.userAgent).toBe(agent);
    const lines = server.logs().slice(logged).trimEnd().split('\n');
    // eslint-disable-next-line no-control-regex
    for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(lines.filter((line) => line.includes(answer.body.requestId))).not.toEqual([]);
    for (const name of ['a\r\nb', 'a\u001b[31m', 'a\u009b2J', 'a\u2028b', 'a\u202eb']) {
      const named = await owner.client.post(`${organization.path}/service-accounts`, {
        name,
        role: 'viewer',
      });
      expect([name, named.status]).toEqual([name, 400]);
    }
  });
});
