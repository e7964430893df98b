import { describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './run-tool.js';

/** openapi.json under the linters that others rely on: not one error, not one warning. */

const ROOT = join(import.meta.dirname, '../..');
const TOOLS = join(import.meta.dirname, 'node_modules');
const DOCUMENT = 'openapi.json';

type Json = Record<string, any>;

/** What a tool writes, as JSON. */
async function reportOf(script: string, args: string[]): Promise<any> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const command = [join(TOOLS, script), ...args];
  const { stdout, stderr } = await runTool(process.execPath, command, { cwd: ROOT, env });
  if (!/^\s*[[{]/.test(stdout)) throw new Error(`${script} has not linted: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** One line for each finding. */
async function spectral(document: string): Promise<string[]> {
  const ruleset = join(import.meta.dirname, 'spectral.yaml');
  const report: Json[] = await reportOf('@stoplight/spectral-cli/dist/index.js', [
    'lint',
    document,
    `--ruleset=${ruleset}`,
    '--format=json',
    '--quiet',
  ]);
  return report.map(({ code, path, message }) => `${code} at ${path.join(' ')}: ${message}`);
}

async function redocly(document: string): Promise<string[]> {
  const config = join(import.meta.dirname, 'redocly.yaml');
  const report: { problems: Json[] } = await reportOf('@redocly/cli/bin/cli.js', [
    'lint',
    document,
    `--config=${config}`,
    '--format=json',
    '--max-problems=1000',
  ]);
  return report.problems.map(
    ({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`,
  );
}

/** Lints a copy of the document with something wrong in it. */
async function spoilt(
  lint: (document: string) => Promise<string[]>,
  spoil: (document: Json) => void,
): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-document-'));
  try {
    const document = JSON.parse(readFileSync(join(ROOT, DOCUMENT), 'utf8'));
    spoil(document);
    writeFileSync(join(directory, DOCUMENT), JSON.stringify(document));
    return await lint(join(directory, DOCUMENT));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const unlimited = ({ components }: Json) => {
  delete components.schemas.Key.properties.name.maxLength;
  delete components.responses.NotFound.headers['X-RateLimit-Limit'];
};
const wrong = ({ components }: Json) => (components.schemas.Key.properties.id.example = 'clv_1');

describe('openapi.json', () => {
  it('has nothing that Spectral finds, with the rules of OWASP', async () => {
    expect(await spectral(DOCUMENT)).toEqual([]);
  });

  it('has nothing that Redocly finds', async () => {
    expect(await redocly(DOCUMENT)).toEqual([]);
  });

  it('is really looked at', async () => {
    const found = (await spoilt(spectral, unlimited)).join('\n');
    expect(found).toMatch(/string-limit at .* Key .* name/);
    expect(found).toMatch(/rate-limit at/);
    expect((await spoilt(redocly, wrong)).join('\n')).toMatch(/no-invalid-schema-examples at/);
  });

  it('has all that is excepted from a rule', () => {
    const { paths, components } = JSON.parse(readFileSync(join(ROOT, DOCUMENT), 'utf8'));
    const text = readFileSync(join(import.meta.dirname, 'spectral.yaml'), 'utf8');
    const pointers = [...text.matchAll(/openapi\.json#\/([^']+)'/g)].map(([, pointer]) => pointer!);
    const missing = pointers.filter((pointer) => {
      const names = decodeURIComponent(pointer).split('/');
      const at = (value: any, name: string) =>
        value?.[name.replaceAll('~1', '/').replaceAll('~0', '~')];
      return names.reduce(at, { paths, components }) === undefined;
    });
    expect(pointers.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
    expect(existsSync(join(ROOT, '.redocly.lint-ignore.yaml'))).toBe(false);
  });
});
