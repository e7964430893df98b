import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killLeftovers } from '../process.js';
import { type Exchange, startRecordingProxy } from './recording-proxy.js';
import { report } from './report.js';
import { type Caller, ROLES, Scene } from './scene.js';
import { hasPython, schemathesis } from './schemathesis.js';

const IS_FULL = process.env.CONTRACT_FULL === '1';
const EXAMPLES = IS_FULL ? 20 : 5;
const WALKS = IS_FULL ? 100 : 30;
const SAMPLED_EVERY_MS = 1_000;

/** What would end the run's own credential, or lock it out. Each is asked for in a run of its own, at the end of which nothing is lost. */
const ENDING = {
  session: ['sessions_endCurrent', 'sessions_end'],
  key: ['me_rotateKey'],
  organization: ['organizations_suspend', 'organizations_update', 'organizations_delete'],
};
const ALL_ENDING = Object.values(ENDING).flat();

let scene: Scene;
const folder = mkdtempSync(join(tmpdir(), 'claviger-contract-'));
/** Of all runs. */
const exchanges: Exchange[] = [];
/** The server's memory in MiB, over all runs. */
const memory: { requests: number; mebibytes: number }[] = [];

beforeAll(async () => {
  scene = await Scene.start();
}, 60_000);
afterAll(async () => {
  await scene.end();
  killLeftovers();
  rmSync(folder, { recursive: true });
});

/** One run, of which the tool finds nothing to complain. */
async function run(
  who: string,
  caller: Caller,
  what: { organizationId?: string; include?: string[]; exclude?: string[] },
): Promise<void> {
  const proxy = await startRecordingProxy(scene.server.url, caller.ids);
  let links: number | undefined;
  const sample = setInterval(
    () =>
      memory.push({
        requests: exchanges.length + proxy.exchanges.length,
        mebibytes: scene.memory(),
      }),
    SAMPLED_EVERY_MS,
  );
  try {
    const { url } = proxy;
    const { token } = caller;
    const each = { url, token, examples: EXAMPLES, followsLinks: false, folder, ...what };
    expect(findings(await schemathesis(each))).toBe('');
    if (what.include === undefined) {
      const output = await schemathesis({ ...each, examples: WALKS, followsLinks: true });
      links = Number(/API Links: +(\d+) covered/.exec(output)?.[1]);
      expect(findings(output)).toBe('');
      // Who may make everything must get beyond making it.
      if (who === 'owner') expect(links).toBeGreaterThan(5);
    }
  } finally {
    clearInterval(sample);
    await proxy.close();
    exchanges.push(...proxy.exchanges);
  }
  expect(proxy.exchanges.filter(({ status }) => status >= 500)).toEqual([]);
  expect(await scene.unaudited(proxy.exchanges)).toEqual([]);
  const statuses: Record<string, number> = {};
  for (const { status } of proxy.exchanges) statuses[status] = (statuses[status] ?? 0) + 1;
  report(`Schemathesis as ${who}`, { requests: proxy.exchanges.length, links, statuses });
}

/** What the tool printed of errors and failures, without its advice and its statistics. */
function findings(output: string): string {
  if (!output.includes('= SUMMARY =')) return output;
  return /=+ (?:ERRORS|FAILURES) =+[^]*?(?==+ (?:WARNINGS|SUMMARY) =+)/.exec(output)?.[0] ?? '';
}

if (!hasPython) {
  process.stdout.write('SKIPPED: there is no Python with venv, so Schemathesis does not run\n');
}
const one = hasPython ? describe : describe.skip;
const whenFull = hasPython && IS_FULL ? describe : describe.skip;

one.each(IS_FULL ? ROLES : (['owner'] as const))('Schemathesis with the role %s', (role) => {
  it('finds no answer that is not documented, and nothing accepted that is forbidden', async () => {
    const { organizationId } = scene;
    await run(role, await scene.account(role), { organizationId, exclude: ALL_ENDING });
  });
});

whenFull('Schemathesis as the administrator of the instance', () => {
  it('finds nothing, in organizations that it makes itself', async () => {
    await run('administrator', await scene.session(), { exclude: ALL_ENDING });
  });

  it.each(ENDING.session)('finds nothing by %s', async (operation) => {
    await run(operation, await scene.session(), { include: [operation] });
  });

  it.each(ENDING.organization)('finds nothing by %s', async (operation) => {
    const { organizationId } = await scene.things('{organizationId}');
    await run(operation, await scene.session(), { organizationId, include: [operation] });
  });

  it.each(ENDING.key)('finds nothing by %s', async (operation) => {
    await run(operation, await scene.account('owner'), { include: [operation] });
  });
});

one('after all of it', () => {
  it('the trail is whole, and the server as well as before', async () => {
    await scene.expectValidTrail();
    const { status } = await scene.server.client.get('/health/ready');
    expect(status).toBe(200);
    const at = (part: number) => memory[Math.floor((memory.length - 1) * part)];
    report('all', {
      requests: exchanges.length,
      memory: [0, 0.25, 0.5, 0.75, 1].map(at),
    });
  });
});
