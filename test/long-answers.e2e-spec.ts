import { afterAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from './database.js';
import { type Client, eventsOf, startServer, startSibling, type TestServer } from './harness.js';
import { anOrganization, aServiceAccount, type TestOrganization } from './factories.js';
import { slowly } from './streams.js';

const TOTAL = 12_000;

let cleanup: () => Promise<void>;
afterAll(() => cleanup());

/** Events of 4 KB, more than all buffers between the two sides hold. */
async function fill({ database }: TestServer, { id }: TestOrganization): Promise<void> {
  const body = JSON.stringify({
    action: 'test.filled',
    outcome: 'success',
    actor: { type: 'system', id: null, name: 'x'.repeat(4_000) },
    targets: [],
  });
  await database.system(async (tx) => {
    await tx.auditHead.update({ where: { chain: id }, data: { sequence: TOTAL } });
    await tx.$executeRaw`
      INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome)
      SELECT ${id}, n, now(), ${body}, '\\x00', '\\x00', '', 'test.filled', 'success'
      FROM generate_series(1, ${TOTAL}::int) AS n`;
  });
}

/** The connection on which an answer has begun. */
async function begin({ url, token }: Client, path: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

/** The bytes of an answer, read so slowly that the server's deadline comes first, to the connection's very end. */
async function sip(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of socket) {
    parts.push(chunk as Buffer);
    await delay(15);
  }
  return Buffer.concat(parts).toString('latin1');
}

/** The content of chunks (RFC 9112 section 7.1), and whether there is the last one. */
function contentOf(chunked: string): { text: string; complete: boolean } {
  let text = '';
  for (let start = 0; ;) {
    const end = chunked.indexOf('\r\n', start);
    const length = end === -1 ? NaN : parseInt(chunked.slice(start, end), 16);
    if (Number.isNaN(length) || length === 0) return { text, complete: length === 0 };
    text += chunked.slice(end + 2, end + 2 + length);
    start = end + 2 + length + 2;
  }
}

describe('a server that stops', () => {
  it('cuts an export at a row, before the 10 s of a shutdown are over; its client goes on behind that row elsewhere', async () => {
    const durable = await testDatabase({ durable: true });
    cleanup = durable.cleanup;
    const server = await startServer(durable.config);
    const organization = await anOrganization(server);
    const { client } = await aServiceAccount(server, organization, { role: 'auditor' });
    await fill(server, organization);
    const path = `${organization.path}/audit-events/export?cursors=true&sort=occurredAt`;
    const stalled = await slowly(client, path);
    await stalled.upTo(1);

    const admin = await aServiceAccount(server, organization, { role: 'admin' });
    const importing = await slowly(admin.client, `${organization.path}/users/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      // Rows that fail quickly; their answers are 40 MB and more.
      body: '1\n'.repeat(300_000),
    });
    await importing.upTo(1);

    const socket = await begin(client, path);
    const begun = performance.now();
    const closed = server.app.close().then(() => (performance.now() - begun) / 1_000);
    const answer = await sip(socket);
    // What the system still held for the reader comes after the end.
    const seconds = await closed;

    expect(seconds).toBeGreaterThan(6.9);
    expect(seconds).toBeLessThan(10);
    const [head = ''] = answer.split('\r\n\r\n', 1);
    const { text, complete } = contentOf(answer.slice(head.length + 4));
    expect(complete).toBe(false);
    expect(text.endsWith('}\n')).toBe(true);
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeLessThan(TOTAL);

    const next = await startSibling(server);
    const resumed = next.client.withToken(client.token);
    const { body } = await resumed.get(`${path}&limit=1&after=${rows.at(-1).cursor}`);
    expect(JSON.parse(body as string).sequence).toBe(rows.at(-1).sequence + 1);
    const requestId = /x-request-id: (\S+)/i.exec(head)?.[1] ?? '';
    const ends = [requestId, stalled.headers['x-request-id'] as string].map(async (id) => {
      const [end] = await eventsOf(next, { requestId: id, action: 'export.aborted' });
      return end!.event;
    });
    const [slow, idle] = await Promise.all(ends);
    expect(slow).toMatchObject({
      outcome: 'error',
      reason: 'shutting_down',
      details: { rows: rows.length },
    });
    expect(idle).toMatchObject({ outcome: 'error', reason: 'shutting_down' });
    const [imported] = await eventsOf(next, {
      requestId: importing.headers['x-request-id'] as string,
      action: 'users.imported',
    });
    expect(imported!.event).toMatchObject({
      outcome: 'error',
      reason: 'shutting_down',
      details: { complete: false },
    });
    await next.close();
  }, 60_000);
});
