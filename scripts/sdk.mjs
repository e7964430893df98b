// Generates the clients from openapi.json: `npm run sdk`, or `npm run sdk -- go java` for some of the four.
// TypeScript goes into its package and is committed; the others go to sdk/.generated. A client that is newer than the contract,
// the generator's version and these scripts is left as it is. `--check` fails when the committed one is not what would be generated.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonTools } from './python-tools.mjs';
import { toOpenApi30 } from './sdk/openapi-3.0.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const contract = join(root, 'openapi.json');
const generated = join(root, 'sdk/.generated');
const cache = join(root, 'node_modules/.cache/sdk');
const typescript = join(root, 'sdk/typescript');
const committed = join(typescript, 'src/generated');

const JAR = 'openapi-generator-cli-7.17.0.jar';
const JAVA_PACKAGE = 'dev.claviger.client';
const OPTIONS = {
  go: {
    packageName: 'claviger',
    enumClassPrefix: true,
    // A field or value that a newer server adds must not break a client.
    disallowAdditionalPropertiesIfNotPresent: false,
    enumUnknownDefaultCase: true,
    useOneOfDiscriminatorLookup: true,
  },
  java: {
    library: 'native',
    groupId: JAVA_PACKAGE,
    artifactId: 'claviger-client',
    apiPackage: `${JAVA_PACKAGE}.api`,
    modelPackage: `${JAVA_PACKAGE}.model`,
    invokerPackage: JAVA_PACKAGE,
    openApiNullable: false,
    hideGenerationTimestamp: true,
    disallowAdditionalPropertiesIfNotPresent: false,
    enumUnknownDefaultCase: true,
    useOneOfDiscriminatorLookup: true,
  },
};
const languages = {
  typescript: () => generateTypeScript(committed),
  python: () => generateOnce('python', generatePython),
  go: () =>
    generateOnce('go', (folder) =>
      openApiGenerator('go', folder, [
        ...['--git-host', 'claviger.example', '--git-user-id', 'sdk', '--git-repo-id', 'go'],
      ]),
    ),
  java: () => generateOnce('java', (folder) => openApiGenerator('java', folder, [])),
};

const wanted = process.argv.slice(2).filter((argument) => argument !== '--check');
if (process.argv.includes('--check')) check();
else for (const language of wanted.length ? wanted : Object.keys(languages)) generate(language);

function generate(language) {
  if (!languages[language]) fail(`There is no client for ${language}.`);
  languages[language]();
}

function check() {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-sdk-'));
  try {
    generateTypeScript(folder);
    const different = sourcesOf(folder) !== sourcesOf(committed);
    if (different) fail('sdk/typescript/src/generated is stale: run `npm run sdk -- typescript`.');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sourcesOf(folder) {
  if (!existsSync(folder)) return '';
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return names
    .sort()
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n');
}

function generateTypeScript(folder) {
  run(process.execPath, ['scripts/generate.mjs', contract, folder], { cwd: typescript });
}

function generatePython(folder) {
  const bin = pythonTools('sdk/python', join(root, 'scripts/sdk/requirements.txt'));
  const config = join(root, 'scripts/sdk/python.yaml');
  // The generator formats its output with ruff, which it looks for in the PATH.
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  run(
    join(bin, 'python'),
    [
      ...[
        '-m',
        'openapi_python_client',
        'generate',
        '--path',
        derivedContract(),
        '--config',
        config,
      ],
      ...['--meta', 'setup', '--overwrite', '--output-path', folder],
    ],
    { env },
  );
}

function openApiGenerator(language, folder, extra) {
  const jar = join(cache, JAR);
  if (!existsSync(jar)) {
    const version = JAR.slice('openapi-generator-cli-'.length, -'.jar'.length);
    const artifact = `org.openapitools:openapi-generator-cli:${version}`;
    run('mvn', [
      '-q',
      '-B',
      'dependency:copy',
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${cache}`,
    ]);
  }
  const properties = Object.entries(OPTIONS[language]).map(([name, value]) => `${name}=${value}`);
  run('java', [
    ...['-jar', jar, 'generate', '-i', derivedContract(), '-g', language, '-o', folder, ...extra],
    `--additional-properties=${properties.join(',')}`,
    '--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false',
  ]);
}

/** The contract as these generators understand it; the TypeScript generator reads the real one. */
function derivedContract() {
  const path = join(generated, 'openapi-3.0.json');
  writeFileSync(path, JSON.stringify(toOpenApi30(JSON.parse(readFileSync(contract, 'utf8')))));
  return path;
}

/** Generates into sdk/.generated/<language>, unless what is there was made from the same. */
function generateOnce(language, make) {
  const folder = join(generated, language);
  // Beside the tools: without them there is more to do than to generate.
  const stamp = join(cache, `${language}.sha256`);
  const sources = [contract, fileURLToPath(import.meta.url)].concat(
    readdirSync(join(root, 'scripts/sdk')).map((name) => join(root, 'scripts/sdk', name)),
  );
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source)).update('\0');
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  for (const parent of [generated, cache]) mkdirSync(parent, { recursive: true });
  for (const old of [folder, stamp]) rmSync(old, { recursive: true, force: true });
  make(folder);
  writeFileSync(stamp, digest);
}

function run(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    ...options,
  });
  if (status !== 0) fail(`${program} failed: ${error?.message ?? `${stdout}${stderr}`}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
