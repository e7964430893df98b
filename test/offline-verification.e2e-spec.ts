import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { type Checkpoint, isSigned, type SignedCheckpoint } from '../src/audit/checkpoint.js';
import { Checkpoints } from '../src/audit/checkpoints.js';
import type { AuditEvent } from '../src/audit/audit.dto.js';
import { HeadSeals } from '../src/audit/head-seals.js';
import { type ExportProof, verifyExport } from '../src/audit/verify-export.js';
import { anOrganization, aPerson, aServiceAccount, type TestOrganization } from './factories.js';
import { startServer, type TestServer } from './harness.js';

let server: TestServer;
let organization: TestOrganization;
let lines: string[];
let checkpoints: Checkpoint[];

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  const owner = await aPerson(server, organization);
  const account = await aServiceAccount(server, organization, { role: 'auditor' });
  const odd = await owner.client.post(`${organization.path}/users`, {
    email: 'odd@example.com',
    name: 'Ünal "the\\odd" \u{1f600}',
    role: 'viewer',
    attributes: { 10: 'ten', 2: 'two', b: 'é', a: 'line\nbreak' },
  });
  expect(odd).toMatchObject({ status: 201 });
  await owner.client.patch(`${organization.path}`, { settings: { requestsPerMinute: 1_000 } });
  await account.client.get('/v1/%00%ud800', { 'user-agent': 'x'.repeat(500) });
  await makeCheckpoint();
  for (let count = 0; count < 20; count += 1) await account.client.get('/v1/me');
  await account.client.get(`${organization.path}/exports/users`);
  await makeCheckpoint();
  await account.client.get('/v1/me');
  lines = await exported('&sort=occurredAt');
});
afterAll(() => server.close());

async function makeCheckpoint(): Promise<void> {
  const seals = server.app.get(HeadSeals);
  seals.note(organization.id);
  await seals.flush();
  await server.app.get(Checkpoints).flush();
  const auditor = await aServiceAccount(server, organization, { role: 'auditor' });
  const path = `${organization.path}/audit-events/checkpoints`;
  const first = await auditor.client.get(`${path}?limit=1`);
  const { next } = first.body.paging;
  const more = next && (await auditor.client.get(`${path}?limit=1&after=${next.after}`));
  const signed: SignedCheckpoint[] = [...first.body.data, ...(more?.body.data ?? [])];
  expect(signed.map(isSigned)).not.toContain(false);
  checkpoints = signed.map(({ checkpoint }) => checkpoint);
}

async function exported(query: string): Promise<string[]> {
  const auditor = await aServiceAccount(server, organization, { role: 'auditor' });
  const response = await fetch(
    `${server.url}${organization.path}/audit-events/export?format=ndjson${query}`,
    { headers: { authorization: `Bearer ${auditor.token}` } },
  );
  expect(response.status).toBe(200);
  return (await response.text()).trimEnd().split('\n');
}

/** In pieces that end in the middle of lines and characters. */
async function* piecesOf(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 777) {
    yield await Promise.resolve(bytes.subarray(start, start + 777));
  }
}

const verify = (some: string[], proof: Partial<ExportProof> = {}) =>
  verifyExport(piecesOf(some.map((line) => `${line}\n`).join('')), { checkpoints, ...proof });

function edited(line: string, change: (event: AuditEvent) => void): string {
  const event = JSON.parse(line) as AuditEvent;
  change(event);
  return JSON.stringify(event);
}

/** As somebody would who holds the database: every hash is computed anew. */
function hashedAnew(some: string[]): string[] {
  let previous = '00'.repeat(32);
  return some.map((line, index) =>
    edited(line, (event) => {
      event.sequence = index + 1;
      event.previousHash = previous;
      event.hash = previous = hashOf(event);
    }),
  );
}

function hashOf(event: AuditEvent): string {
  const { sequence, occurredAt, previousHash } = event;
  const names = ['action', 'outcome', 'organizationId', 'actor', 'key', 'targets', 'permission', 'method', 'route', 'path', 'status', 'reason', 'ip', 'userAgent', 'requestId', 'changes'] as const; // prettier-ignore
  const members: unknown[][] = names.map((name) => [name, event[name]]);
  if (event.details !== null) members.push(['details', event.details]);
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(BigInt(sequence), 0);
  numbers.writeBigInt64BE(BigInt(Date.parse(occurredAt)), 8);
  return createHash('sha256')
    .update(Buffer.from(previousHash, 'hex'))
    .update(numbers)
    .update(`${organization.id}\0${JSON.stringify(Object.fromEntries(members))}`)
    .digest('hex');
}

describe('an export of the trail, without a server', () => {
  it('is as it was written, in either order, and checkpoints vouch for it', async () => {
    expect(checkpoints).toHaveLength(2);
    const last = lines.length;
    const good = { chain: organization.id, events: last, first: 1, last, checkpoints: 2 };
    expect(await verify(lines)).toEqual({ ...good, setBacks: [], vouched: checkpoints[1] });
    const newestFirst = await exported('&sort=-occurredAt');
    expect(await verify(newestFirst)).toMatchObject({ first: 1, checkpoints: 2 });
    expect(await verify(lines.slice(3))).toMatchObject({ first: 4, events: last - 3 });
  });

  it('has events of all kinds in it', () => {
    expect(lines.some((line) => /"details":\{/.test(line))).toBe(true);
    expect(lines.some((line) => /"name":"Ünal \\"the/.test(line))).toBe(true);
    expect(lines.some((line) => /"changes":\{/.test(line))).toBe(true);
  });

  it.each<[string, (all: string[]) => string[], RegExp]>([
    [
      'an event that was changed',
      (all) =>
        all.with(
          3,
          edited(all[3]!, (event) => (event.actor.name = 'Nobody')),
        ),
      /^event 4 \(line 4\): its hash/,
    ],
    [
      'a time that was moved',
      (all) =>
        all.with(
          3,
          edited(all[3]!, (event) => (event.occurredAt = '2026-01-01T00:00:00Z')),
        ),
      /^event 4 .*its hash/,
    ],
    ['an event that was removed', (all) => all.toSpliced(3, 1), /^event 5 .*after event 3/],
    ['an event that is there twice', (all) => all.toSpliced(3, 0, all[3]!), /^event 4 .*doubled/],
    [
      'events that were swapped',
      (all) => all.toSpliced(3, 2, all[4]!, all[3]!),
      /^event 5 .*after event 3/,
    ],
    [
      'an event that was changed and hashed anew',
      (all) =>
        all.with(
          3,
          edited(all[3]!, (event) => {
            event.actor.name = 'Nobody';
            event.hash = hashOf(event);
          }),
        ),
      /^event 5 .*does not follow event 4/,
    ],
    ['the end cut off', (all) => all.slice(0, 10), /^the export ends with event 10, but/],
    ['another chain', (all) => all.with(3, edited(all[3]!, (event) => (event.organizationId = null))), /^event 4 .*another chain, system/], // prettier-ignore
    ['what is no event', (all) => all.with(3, '{}'), /^line 4 is no event/],
    ['a part of a line', (all) => all.with(3, all[3]!.slice(1)), /^line 4 is no event/],
  ])('notices %s', async (_, change, fault) => {
    expect((await verify(change(lines))).fault).toMatch(fault);
  });

  it('notices a whole chain that was hashed anew, by its checkpoints alone', async () => {
    const forged = hashedAnew(lines.toSpliced(3, 1));
    expect(await verify(forged, { checkpoints: [] })).not.toHaveProperty('fault');
    const [first] = checkpoints;
    expect((await verify(forged)).fault).toMatch(
      new RegExp(`^event ${first!.sequence} .*put together anew`),
    );
  });

  it('knows that what came after the export cannot be in it', async () => {
    const [first, second] = checkpoints;
    const early = lines.slice(0, first!.sequence);
    expect((await verify(early)).fault).toMatch(`had event ${second!.sequence}`);
    const exportedAt = Date.parse(first!.at);
    expect(await verify(early, { exportedAt })).not.toHaveProperty('fault');
    expect((await verify(early.slice(0, -1), { exportedAt })).fault).toMatch(/cut off/);
  });

  it('heeds that a chain was set back, as somebody has accepted', async () => {
    const lost = { ...checkpoints[1]!, sequence: 900, hash: 'ab'.repeat(32) };
    const setBack = { ...checkpoints[1]!, setBackFrom: 900 };
    const found = await verify(lines, { checkpoints: [checkpoints[0]!, lost, setBack] });
    expect(found).toMatchObject({ checkpoints: 2, setBacks: [setBack] });
    expect(found).not.toHaveProperty('fault');
    expect((await verify(lines, { checkpoints: [lost] })).fault).toMatch(/had event 900/);
  });
});
