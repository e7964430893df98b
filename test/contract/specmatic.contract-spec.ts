import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killLeftovers } from '../process.js';
import { startRecordingProxy } from './recording-proxy.js';
import { report } from './report.js';
import { Scene } from './scene.js';
import { hasJava, specmatic } from './specmatic.js';
import { documentFor } from './specmatic-document.js';

const DOCUMENT = join(import.meta.dirname, '../../openapi.json');

/** What needs a secret that only a mail or an earlier answer has, ends the tool's own session, or is for service accounts or a first start. */
const EXCLUDED = [
  ...['setup_create', 'sessions_create', 'sessions_endCurrent', 'sessions_end'],
  ...['sessions_reauthenticate', 'me_changePassword', 'me_rotateKey'],
  ...['passwordResets_confirm', 'invitations_accept'],
  ...['oauth_token', 'oauth_introspect', 'oauth_revoke'],
  // No JSON; a list whose elements must differ: what the tool would send is not what is allowed.
  ...['imports_users', 'roles_create'],
];

let scene: Scene;
const folder = mkdtempSync(join(tmpdir(), 'claviger-contract-'));

beforeAll(async () => {
  scene = await Scene.start();
}, 60_000);
afterAll(async () => {
  await scene.end();
  killLeftovers();
  rmSync(folder, { recursive: true });
});

if (!hasJava) process.stdout.write('SKIPPED: there is no Java, so Specmatic does not run\n');

(hasJava ? describe : describe.skip)('Specmatic', () => {
  it('gets the documented answer to what the document allows, and to what it forbids', async () => {
    const { token } = await scene.session();
    const proxy = await startRecordingProxy(scene.server.url);
    const document = await documentFor(JSON.parse(readFileSync(DOCUMENT, 'utf8')), {
      things: ({ path }) => scene.things(path),
      exclude: EXCLUDED,
    });
    const { tests, failures } = await specmatic({ url: proxy.url, token, document, folder });
    await proxy.close();
    // What one request has made stands in the way of the next one: the same name again, a key that is revoked by now.
    const isExplained = (failure: string) =>
      /expected status 20[01] but response contained status 409/.test(failure);
    expect(failures.filter((failure) => !isExplained(failure))).toEqual([]);
    expect(tests).toBeGreaterThan(1_000);
    expect(proxy.exchanges.filter(({ status }) => status >= 500)).toEqual([]);
    expect(await scene.unaudited(proxy.exchanges)).toEqual([]);
    await scene.expectValidTrail();
    report('Specmatic', { tests, conflicts: failures.length, requests: proxy.exchanges.length });
  });
});
