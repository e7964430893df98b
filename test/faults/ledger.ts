import { expect } from '@jest/globals';
import type { Client } from '../client.js';
import type { Parties } from './installation.js';

/** What a client has received: one entry a response, whatever it said. */
interface Received {
  requestId: string;
  status: number;
  code: string | undefined;
}

/** A key that a client asked for. */
interface WantedKey {
  path: string;
  name: string;
}

/** How a server's promises were kept; for the test's output. */
export interface Reconciled {
  responses: number;
  refused503: number;
  lost: number;
  createdKeys: number;
  revokedKeys: number;
  retried: number;
  events: number;
}

/**
 * The client's side of the story: what was answered, and what was acknowledged. Afterwards it is held against the trail and
 * the data, which may know more than the client, and never less.
 */
export class Ledger {
  private readonly received: Received[] = [];
  /** Of acknowledged creations: name and id. */
  private readonly created = new Map<string, string>();
  private readonly revoked = new Set<string>();
  /** Creations without an answer, or with one that leaves open whether they happened. */
  private readonly doubtful: WantedKey[] = [];
  lost = 0;

  note(answer: { status: number; headers: Headers; body: any }): void {
    const requestId = answer.headers.get('x-request-id');
    if (requestId === null) throw new Error(`an answer without X-Request-Id: ${answer.status}`);
    this.received.push({ requestId, status: answer.status, code: answer.body?.code });
  }

  noteCreated(name: string, id: string): void {
    this.created.set(name, id);
  }

  noteRevoked(id: string): void {
    this.revoked.add(id);
  }

  noteDoubtful(wanted: WantedKey): void {
    this.doubtful.push(wanted);
  }

  /** How many responses there are, by status. */
  statuses(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { status } of this.received) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** Holds it against the server, which must be well again. */
  async reconcile({ admin, operator, path }: Parties): Promise<Reconciled> {
    const retried = await this.retry(admin);
    const events = new Map<string, number>();
    await countRequests(admin, path, events);
    // Whose credential could not be checked, because the database was away, is on the chain of strangers.
    await countRequests(operator, '/v1', events);
    const unaudited = this.received.filter(
      ({ requestId, code }) => code !== 'audit_unavailable' && events.get(requestId) !== 1,
    );
    expect(unaudited).toEqual([]);
    const keys = await keysOf(admin, path);
    const names = keys.map(({ name }) => name);
    expect(names.length).toBe(new Set(names).size);
    const ids = new Map(keys.map(({ name, id }) => [name, id]));
    const missing = [...this.created].filter(([name, id]) => ids.get(name) !== id);
    expect(missing).toEqual([]);
    const usable = keys.filter(({ id, status }) => status !== 'revoked' && this.revoked.has(id));
    expect(usable).toEqual([]);
    await expectValid(admin, path);
    await expectValid(operator, '/v1');
    return {
      responses: this.received.length,
      refused503: this.received.filter(({ status }) => status === 503).length,
      lost: this.lost,
      createdKeys: this.created.size,
      revokedKeys: this.revoked.size,
      retried,
      events: events.size,
    };
  }

  /** With the same Idempotency-Key: each gets the truth, once. Revoked again, since an account has room for a hundred. */
  private async retry(client: Client): Promise<number> {
    const wanted = this.doubtful.splice(0);
    for (const { path, name } of wanted) {
      const answer = await client.post(path, { name }, { 'idempotency-key': name });
      expect({ name, status: answer.status }).toEqual({ name, status: 201 });
      this.noteCreated(name, answer.body.id);
      expect((await client.delete(`${path}/${answer.body.id}`)).status).toBe(204);
      this.noteRevoked(answer.body.id);
    }
    return wanted.length;
  }
}

/** Counts how often each request is on the trail at `path`. */
async function countRequests(
  client: Client,
  path: string,
  events: Map<string, number>,
): Promise<void> {
  await eachPage(client, `${path}/audit-events?action=http.request`, ({ requestId }) => {
    events.set(requestId, (events.get(requestId) ?? 0) + 1);
  });
}

async function keysOf(client: Client, path: string) {
  const keys: { id: string; name: string; status: string }[] = [];
  await eachPage(client, `${path}/keys?sort=createdAt`, (key) => keys.push(key));
  return keys.filter(({ name }) => name.startsWith('fault-'));
}

async function eachPage(client: Client, path: string, each: (item: any) => void): Promise<void> {
  for (let after = ''; ;) {
    const { status, body } = await client.get(`${path}&limit=200${after}`);
    expect({ path, status }).toEqual({ path, status: 200 });
    body.data.forEach(each);
    if (body.paging.next === undefined) return;
    after = `&after=${encodeURIComponent(body.paging.next.after)}`;
  }
}

/** The whole chain, part by part. */
export async function expectValid(client: Client, path: string): Promise<void> {
  for (let from: number | undefined = 1; from !== undefined;) {
    const { status, body } = await client.get(
      `${path}/audit-events/verify?limit=100000&fromSequence=${from}`,
    );
    expect({ status, valid: body.valid, bad: body.firstBadSequence }).toEqual({
      status: 200,
      valid: true,
      bad: undefined,
    });
    from = body.next;
  }
}
