import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { searchText } from './canary.js';
import { killLeftovers, startCommand } from './process.js';

const ROOT = join(import.meta.dirname, '..');
const parent = mkdtempSync(join(tmpdir(), 'claviger-scan-'));
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(parent, 'tree-'))));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const TOKENS: [string, string][] = [
  ['a key', createToken('clv', 'key', newId('key'))],
  ['a session', createToken('clv', 'session', newId('ses'))],
  ['a session of a cookie', createToken('clv', 'cookie', newId('ses'))],
  ['an invitation', createToken('clv', 'invitation', newId('inv'))],
  ['a set-up', createToken('clv', 'setup', newId('stp'))],
  ['a reset', createToken('clv', 'reset', newId('rst'))],
  ['a key with a long prefix', createToken('acmeportal', 'key', newId('key'))],
  ['a cookie with a long prefix', createToken('acmeportal', 'cookie', newId('ses'))],
];
const [[, token]] = TOKENS as [[string, string]];
const mistyped = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');

/** Writes a file below the folder and answers its path. */
function plant(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function scan(...paths: string[]) {
  const script = join(ROOT, 'scripts/scan-secrets.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...paths], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

/** The expression of SECURITY.md, and that of the rule for gitleaks. */
const published = [
  /```\n(.+)\n```/.exec(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8')),
  /^regex = '''(.+)'''$/m.exec(readFileSync(join(ROOT, 'deploy/gitleaks.toml'), 'utf8')),
].map((match) => new RegExp(match![1]!));

describe('npm run scan:secrets', () => {
  it.each(TOKENS)('finds %s, and tells file and line but not the token', (_, planted) => {
    plant('docs/readme.md', 'nothing here\n');
    const file = plant('logs/server.log', `{"msg":"ready"}\n{"path":"/x?y=${planted}&z=1"}\n`);
    const { status, said } = scan(folder);
    expect(status).toBe(1);
    expect(said).toContain(`${file}:2: a token, ${planted.split('_', 2).join('_')}_…`);
    expect(said).not.toContain(planted.slice(-49, -6));
  });

  it('finds one that is percent-encoded, and whatever stands around it', () => {
    const encoded = plant('a', token.replaceAll('_', '%5F'));
    const hidden = plant('b', `\n\0TOKEN_IS${token}And more`);
    const { status, said } = scan(encoded, hidden);
    expect(status).toBe(1);
    expect(said.match(/a:1: .*\n.*b:2: /)).not.toBeNull();
  });

  it('passes examples, whose checksum is wrong, and ids', () => {
    plant('a', `${mistyped}\n${newId('key')}\n${token.slice(0, -1)}\nclv_…${token.slice(-4)}\n`);
    expect(scan(folder)).toEqual({ status: 0, said: '' });
  });

  it('looks into what is tracked when nothing is named, and into all without a repository', () => {
    plant('tracked.txt', `${token}\n`);
    plant('dist/made.js', `${token}\n`);
    expect(scan()).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^tracked.txt:1: .*\n$/),
    });
    for (const args of [
      ['init', '-q'],
      ['add', 'tracked.txt'],
    ])
      expect(spawnSync('git', args, { cwd: folder }).status).toBe(0);
    plant('untracked.txt', `${token}\n`);
    expect(scan()).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^tracked.txt:1: .*\n$/),
    });
    rmSync(join(folder, 'tracked.txt'));
    expect(scan()).toEqual({ status: 0, said: '' });
  });
});

describe('the rules for other scanners', () => {
  it.each(TOKENS)('find %s', (_, planted) => {
    for (const rule of published) expect(rule.exec(`key: "${planted}",`)?.[0]).toBe(planted);
  });

  it('pass ids and shortened tokens', () => {
    for (const rule of published)
      expect(`${newId('key')} clv_…${token.slice(-4)} ${token.slice(0, -1)}`).not.toMatch(rule);
  });
});

describe('what tests print', () => {
  /** Runs Jest with our reporter on two specs; with one alone the console does not pass by reporters. */
  function runJest(body: string) {
    plant('one.test.js', `test('one', () => { ${body} });`);
    plant('two.test.js', "test('two', () => {});");
    const reporters = [join(ROOT, 'test/secrets-reporter.js')];
    const config = JSON.stringify({ rootDir: folder, transform: {}, reporters });
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const { status, stderr } = spawnSync(process.execPath, [jest, '--config', config], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, stderr };
  }

  it.each([
    ['on the console', `console.log('made', '${token}')`],
    ['in the message of a failure', `throw new Error('not ${token}')`],
  ])('fails the run with a token %s', (_, body) => {
    const { status, stderr } = runJest(body);
    expect(status).toBe(1);
    expect(stderr).toContain(`one.test.js: ${token.split('_', 2).join('_')}_…`);
    expect(stderr).not.toContain(token);
  });

  it('does not fail it for what is no token', () => {
    expect(runJest(`console.log('${mistyped}')`).status).toBe(0);
  });

  it('is searched for tokens that nobody has noted', () => {
    expect(() => searchText(`{"msg":"${token}"}`, 'in a log')).toThrow('is in a log');
    expect(() => searchText(`{"msg":"${mistyped}"}`, 'in a log')).not.toThrow();
  });

  it('is searched when it comes from a process, but for the link to set the server up', async () => {
    const printing = (text: string) => {
      const ready = 'console.log("Swagger UI  http://localhost:1/docs")';
      return startCommand({}, [process.execPath, '-e', `console.log('${text}'); ${ready}`]);
    };
    const [, setup] = TOKENS[4]!;
    await (await printing(`  http://localhost:1/setup#token=${setup}`)).stop();
    expect(killLeftovers).not.toThrow();
    await (await printing(`{"msg":"${token}"}`)).stop();
    expect(killLeftovers).toThrow('is in the output of a process');
  });
});
