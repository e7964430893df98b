import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { remember, searchText } from './canary.js';
import { type Collector, startCollector } from './collector.js';
import { eventually } from './eventually.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';
import { freePort } from './free-port.js';
import { type Answer, startServer, type TestServer } from './harness.js';

const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const QUICKLY = '20';

/** What the SDK reads by itself. */
function setVariables(variables: Record<string, string>): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('OTEL_')) delete process.env[name];
  Object.assign(process.env, { OTEL_BSP_SCHEDULE_DELAY: QUICKLY, ...variables });
}

const idOf = (answer: Answer) => answer.headers.get('x-request-id');
const traceId = () => randomBytes(16).toString('hex');
const PARENT = '00f067aa0ba902b7';

let collector: Collector;
let server: TestServer;
let organization: TestOrganization;
let account: TestServiceAccount;

beforeAll(async () => {
  setVariables({});
  collector = await startCollector();
  server = await startServer({ tracing: { url: collector.url } });
  organization = await anOrganization(server);
  account = await aServiceAccount(server, organization, { role: 'admin' });
}, 60_000);
afterAll(async () => {
  await server?.close();
  await collector?.close();
  setVariables({});
});

describe('the trace of a request', () => {
  it('has its span, the look-up of its credential, and the wait for the trail', async () => {
    const answer = await account.client.get('/v1/me');
    const { server: span, children } = await collector.traceOf(idOf(answer));
    expect(span).toMatchObject({
      name: 'GET /v1/me',
      kind: SERVER,
      parentSpanId: '',
      isError: false,
      more: [],
    });
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/v1/me',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'claviger.request_id': idOf(answer),
      'claviger.organization_id': organization.id,
    });
    expect(children.map(({ name, kind }) => [name, kind])).toEqual([
      ['audit.append', INTERNAL],
      ['query credential_key', CLIENT],
    ]);
    expect(children[0]!.attributes).toEqual({
      'claviger.audit.queue_depth': 0,
      'claviger.audit.result': 'appended',
    });
    expect(children[1]!.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'query',
      'db.query.summary': 'query credential_key',
    });
    for (const child of children) expect(child.traceId).toBe(span.traceId);
  });

  it('shows that a known credential needs no look-up', async () => {
    const answer = await account.client.get('/v1/me');
    expect(answer.status).toBe(200);
    const { children } = await collector.traceOf(idOf(answer));
    expect(children.map(({ name }) => name)).toEqual(['audit.append']);
  });

  it('has the transaction of a change, also after a body has arrived', async () => {
    const input = { name: 'Traced', role: 'viewer' };
    const answers = await Promise.all([
      account.client.post(`${organization.path}/service-accounts`, input),
      account.client.get(`${organization.path}/service-accounts`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 200]);
    const [created, listed] = [
      await collector.traceOf(idOf(answers[0])),
      await collector.traceOf(idOf(answers[1])),
    ];
    expect(created.server.name).toBe('POST /v1/organizations/{organizationId}/service-accounts');
    expect(listed.server.name).toBe('GET /v1/organizations/{organizationId}/service-accounts');
    expect(created.children.map(({ name }) => name)).toEqual([
      'audit.append',
      'query credential_key',
      'transaction tenant',
    ]);
    expect(listed.children.map(({ name }) => name)).toEqual(['audit.append', 'transaction tenant']);
    expect(created.server.traceId).not.toBe(listed.server.traceId);
  });

  it('has what is done while its answer is read', async () => {
    const person = await aPerson(server, organization);
    const lines = Array.from({ length: 80 }, (_, line) =>
      JSON.stringify({ email: `traced${line}@example.com`, name: 'Traced', role: 'viewer' }),
    );
    const answer = await person.client.post(`${organization.path}/users/import`, lines.join('\n'), {
      'content-type': 'application/x-ndjson',
    });
    expect(answer.status).toBe(200);
    const { children } = await collector.traceOf(idOf(answer));
    const names = children.map(({ name }) => name);
    expect(names.filter((name) => name === 'transaction tenant').length).toBeGreaterThan(1);
  });

  it('names neither an unknown path nor a probe', async () => {
    const before = collector.spans().length;
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect((await server.client.get(path)).status).toBe(200);
    }
    const unknown = await server.client.get('/v1/nothing/here');
    const wrongMethod = await account.client.delete('/v1/me');
    expect([unknown.status, wrongMethod.status]).toEqual([404, 405]);
    const spans = [
      (await collector.traceOf(idOf(unknown))).server,
      (await collector.traceOf(idOf(wrongMethod))).server,
    ];
    expect(spans.map(({ name }) => name)).toEqual(['GET', 'DELETE']);
    expect(Object.keys(spans[0]!.attributes)).not.toContain('http.route');
    const since = collector.spans().slice(before);
    expect(since.filter(({ kind }) => kind === SERVER)).toHaveLength(2);
  });

  it('says that it failed, by a word alone', async () => {
    const rename = (from: string, to: string) =>
      server.database.system((tx) =>
        tx.$executeRawUnsafe(`ALTER FUNCTION ${from} RENAME TO ${to}`),
      );
    await rename('audit_append', 'audit_append_away');
    const answer = await account.client
      .get('/v1/me')
      .finally(() => rename('audit_append_away', 'audit_append'));
    expect(answer.status).toBe(503);
    const { server: span, children } = await collector.traceOf(idOf(answer));
    expect(span).toMatchObject({ isError: true, more: [] });
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 503,
      'error.type': 'audit_unavailable',
    });
    expect(children[0]).toMatchObject({ name: 'audit.append', isError: true, more: [] });
    expect(children[0]!.attributes['error.type']).toBe('AuditUnavailableError');
  });

  it('is no failure of the database where a row is missing', async () => {
    const answer = await account.client.get(`${organization.path}/service-accounts/sa_none`);
    expect(answer.status).toBe(404);
    const { server: span, children } = await collector.traceOf(idOf(answer));
    expect([span, ...children].filter(({ isError }) => isError)).toEqual([]);
    expect(children.length).toBeGreaterThan(1);
  });
});

describe('traceparent', () => {
  it('makes the request a part of the caller’s trace', async () => {
    const id = traceId();
    const answer = await account.client.get('/v1/me', { traceparent: `00-${id}-${PARENT}-01` });
    const { server: span, children } = await collector.traceOf(idOf(answer));
    expect([span.traceId, span.parentSpanId]).toEqual([id, PARENT]);
    expect(children.map((child) => child.traceId)).toEqual([id]);
  });

  it('may say that the trace is not sampled', async () => {
    const id = traceId();
    const unsampled = { traceparent: `00-${id}-${PARENT}-00` };
    expect((await account.client.get('/v1/me', unsampled)).status).toBe(200);
    expect((await account.client.delete(`${organization.path}/users/x`, unsampled)).status).toBe(
      404,
    );
    await collector.traceOf(idOf(await account.client.get('/v1/me')));
    expect(collector.spans().filter((span) => span.traceId === id)).toEqual([]);
  });

  it.each([
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `ff-${'a'.repeat(32)}-${PARENT}-01`,
  ])('counts as none when it is %j', async (traceparent) => {
    const answer = await account.client.get('/v1/me', { traceparent });
    expect(answer.status).toBe(200);
    expect((await collector.traceOf(idOf(answer))).server.parentSpanId).toBe('');
  });
});

describe('secrets', () => {
  it('are on no span, wherever callers put them', async () => {
    const canary = randomBytes(16).toString('hex');
    remember(canary);
    const person = await aPerson(server, organization, { email: 'traced@example.com' });
    const { email, password } = person;
    const login = await server.client.post('/v1/sessions', { email, password });
    expect(login.status).toBe(201);
    const everywhere = {
      traceparent: `00-${traceId()}-${PARENT}-01-${account.token}`,
      tracestate: `canary=${canary}`,
      baggage: `token=${account.token}`,
      'user-agent': account.token,
      'x-forwarded-for': account.token,
      'idempotency-key': canary,
      cookie: `claviger=${canary}`,
    };
    const answers = [
      login,
      await account.client.get(`/v1/me?access_token=${account.token}`, everywhere),
      await account.client.get(`/v1/${account.token}`, everywhere),
      await account.client.get(`${organization.path}/users/${account.token}`, everywhere),
      await account.client.post(`${organization.path}/users`, canary, everywhere),
      await person.client.post(
        `${organization.path}/service-accounts`,
        { name: `Of ${email}`, role: 'viewer' },
        { tracestate: `canary=${canary}`, traceparent: `00-${traceId()}-${PARENT}-01` },
      ),
      await server.client.withToken(canary).get('/v1/me', everywhere),
      await server.client.post('/v1/sessions', { email, password: canary }),
    ];
    for (const answer of answers) await collector.traceOf(idOf(answer));
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 404, 404, 400, 201, 401, 401]);
    searchText(collector.received(), 'on a span');
    // What is searched is what it would be found in.
    expect(collector.received()).toContain(organization.id);
    expect(() => searchText(`${collector.received()}${canary}`, 'on a span')).toThrow('on a span');
  });
});

describe('what the standard variables say', () => {
  let other: TestServer | undefined;
  let otherCollector: Collector | undefined;
  afterEach(async () => {
    await other?.close();
    await otherCollector?.close();
    other = otherCollector = undefined;
    setVariables({});
  });

  async function startWith(variables: Record<string, string>, headers?: string) {
    setVariables(variables);
    otherCollector = await startCollector();
    const { url } = otherCollector;
    other = await startServer({ tracing: { url, ...(headers === undefined ? {} : { headers }) } });
    const client = (await aServiceAccount(other, await anOrganization(other))).client;
    return { client, collector: otherCollector, server: other };
  }

  it('is without them a name, the version and an id of this process', async () => {
    const { client, collector } = await startWith({});
    const answer = await client.get('/v1/me');
    const { resource } = (await collector.traceOf(idOf(answer))).server;
    expect(resource).toMatchObject({ 'service.name': 'claviger', 'service.version': '0.1.0' });
    expect(resource['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is who the service is, and with which headers the collector is asked', async () => {
    const credential = randomBytes(16).toString('hex');
    remember(credential);
    const { client, collector } = await startWith(
      {
        OTEL_SERVICE_NAME: 'keys',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.instance.id=mine',
      },
      `authorization=Bearer%20${credential}`,
    );
    const answer = await client.get('/v1/me');
    expect((await collector.traceOf(idOf(answer))).server.resource).toMatchObject({
      'service.name': 'keys',
      'service.instance.id': 'mine',
      'deployment.environment.name': 'test',
    });
    expect(collector.headers()[0]!.authorization).toBe(`Bearer ${credential}`);
  });

  it('is that nothing is sampled', async () => {
    const { client, collector, server } = await startWith({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const sampled = { traceparent: `00-${traceId()}-${PARENT}-01` };
    for (let count = 0; count < 5; count += 1) await client.get('/v1/me');
    const answer = await client.get('/v1/me', sampled);
    await collector.traceOf(idOf(answer));
    await server.close();
    other = undefined;
    expect(collector.spans().filter(({ kind }) => kind === SERVER)).toHaveLength(1);
  });
});

describe('a collector that does not take them', () => {
  const warnings = (of: TestServer) =>
    of
      .logs()
      .split('\n')
      .filter((line) => line.includes('traces'))
      .map((line) => JSON.parse(line) as { level: string; msg: string; context: string });

  it('is told about, once, and fails no request', async () => {
    setVariables({ OTEL_EXPORTER_OTLP_TIMEOUT: '50' });
    const url = `http://127.0.0.1:${await freePort()}/v1/traces`;
    const lonely = await startServer({ tracing: { url } });
    const { client } = await aServiceAccount(lonely, await anOrganization(lonely));
    await eventually(async () => {
      expect((await client.get('/v1/me')).status).toBe(200);
      return warnings(lonely).length > 0 ? true : undefined;
    });
    for (let count = 0; count < 20; count += 1) {
      expect((await client.get('/v1/me')).status).toBe(200);
    }
    await lonely.close();
    expect(warnings(lonely)).toMatchObject([
      {
        level: 'warn',
        context: 'Tracing',
        msg: expect.stringMatching(/^traces cannot be exported: ECONNREFUSED; spans lost: \d+$/),
      },
    ]);
  });
});
