import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { DatabaseUnavailableError } from '../database/errors.js';
import { createServer } from '../http/server.js';
import { RequestTraces } from './request-traces.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const traces = new RequestTraces(provider.getTracer('test'), () => Promise.resolve(), 'https');
const spans = () =>
  exporter.getFinishedSpans().map(({ name, attributes, status }) => ({
    name,
    status: status.code,
    error: attributes['error.type'],
    leftOut: attributes['claviger.children_left_out'],
    aborted: attributes['claviger.aborted'],
    answered: attributes['http.response.status_code'],
  }));

let fastify: FastifyInstance;
let url: string;
const late: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  fastify = createServer({
    publicUrl: 'https://claviger.example.com',
    trustedProxies: [],
    countBelowRouter: () => undefined,
    tracing: traces,
  });
  const query = (work = () => Promise.resolve('done')) => traces.database('query', 'some', work);
  fastify.get('/many', async () => {
    for (let count = 0; count < 100; count += 1) await query();
    return 'done';
  });
  fastify.get('/failing', async () => {
    await query(() => Promise.reject(new DatabaseUnavailableError('away'))).catch(() => undefined);
    await query(() => Promise.reject(Object.assign(new Error('Ada'), { code: '23505' }))).catch(
      () => undefined,
    );
    await query(() => Promise.reject(new Error('no such row'))).catch(() => undefined);
    return 'done';
  });
  fastify.get('/late', () => {
    const { promise, resolve } = withResolvers();
    // In the context of the request, as a timer that it has set.
    const work = promise.then(() => query());
    late.push(() => (resolve(), work));
    return Promise.resolve('done');
  });
  fastify.post('/body', async (request) => {
    await query();
    return request.body;
  });
  fastify.get('/slow', () => new Promise(() => undefined));
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(fastify.server.address() as AddressInfo).port}`;
});
afterAll(() => fastify.close());
beforeEach(() => exporter.reset());

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Sends the beginning of a request; answers when the server has it. */
async function begin(text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(text);
  await once(fastify.server, 'request');
  return socket;
}

async function ended(name: string): Promise<ReturnType<typeof spans>> {
  while (!spans().some((span) => span.name === name)) await new Promise(setImmediate);
  return spans();
}

describe('the children of a request', () => {
  it('are not more than one can look at; the others are counted', async () => {
    await fetch(`${url}/many`);
    const all = await ended('GET /many');
    expect(all).toHaveLength(65);
    expect(all.at(-1)).toMatchObject({ name: 'GET /many', leftOut: 36 });
  });

  it('fail by a word of ours or an SQLSTATE, never by a message', async () => {
    await fetch(`${url}/failing`);
    const all = await ended('GET /failing');
    expect(all.map(({ error, status }) => [error, status])).toEqual([
      ['DatabaseUnavailableError', 2],
      ['23505', 2],
      [undefined, 0],
      [undefined, 0],
    ]);
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ events }) => events))).toBe(
      '[[],[],[],[]]',
    );
  });

  it('are none of what is done when it has ended', async () => {
    // As long as one runs, contexts are told apart.
    const other = await begin('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await fetch(`${url}/late`);
    await ended('GET /late');
    await late[0]!();
    expect(spans()).toHaveLength(1);
    other.destroy();
    await ended('GET /slow');
  });

  it('are also those of a request whose body comes late', async () => {
    const body = '{"name":"Ada"}';
    const headers = `Host: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const socket = await begin(`POST /body HTTP/1.1\r\n${headers}\r\n\r\n`);
    socket.write(body.slice(0, 3));
    await new Promise(setImmediate);
    socket.end(body.slice(3));
    expect((await ended('POST /body')).map(({ name }) => name)).toEqual([
      'query some',
      'POST /body',
    ]);
  });

  it('are none of what belongs to no request', async () => {
    await traces.database('query', 'some', () => Promise.resolve());
    expect(spans()).toEqual([]);
  });
});

describe('a request whose client has gone', () => {
  it('ends, without a status', async () => {
    (await begin('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')).destroy();
    const [span] = await ended('GET /slow');
    expect(span).toMatchObject({ aborted: true, answered: undefined, error: undefined });
  });
});
