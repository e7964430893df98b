import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedPackages } from '../scripts/shipped.mjs';

const ROOT = join(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const { packages } = JSON.parse(read('package-lock.json'));
const folder = mkdtempSync(join(tmpdir(), 'claviger-supply-'));

/** What installing would run if it were let, and why nothing is lost without. */
const INSTALL_SCRIPTS: Record<string, string> = {
  '': 'ours: generates the database client, as `npm run generate` and the build do',
  'node_modules/@parcel/watcher': 'compiles where there is no binary; for `nest start --watch`',
  'node_modules/@prisma/engines': 'downloads engines, which we have as WebAssembly',
  'node_modules/@scarf/scarf': 'reports installations to its makers',
  'node_modules/@swc/core': 'looks whether its binary fits',
  'node_modules/prisma': 'looks at the version of Node',
  'node_modules/unrs-resolver': 'looks whether its binary is there',
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13);
const purlOf = (name: string, version: string): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** Packages of others in package-lock.json, by npm's own marks of what development alone needs. */
const marked = (isForDevelopment: boolean): [string, any][] =>
  Object.entries<any>(packages).filter(
    ([path, { dev, devOptional, link }]) =>
      path.includes('node_modules/') && !link && Boolean(dev ?? devOptional) === isForDevelopment,
  );

function run(script: string, ...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [`scripts/${script}`, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stderr };
}

/** package-lock.json with something else said of a package. */
function lockWith(path: string, said: object): string {
  const file = join(folder, 'package-lock.json');
  writeFileSync(
    file,
    JSON.stringify({ packages: { ...packages, [path]: { ...packages[path], ...said } } }),
  );
  return file;
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bill of materials', () => {
  const file = join(folder, 'sbom.cdx.json');
  let text: string;
  let bom: any;
  beforeAll(() => {
    expect(run('sbom.mjs', file)).toEqual({ status: 0, stderr: '' });
    text = readFileSync(file, 'utf8');
    bom = JSON.parse(text);
  });

  it('names every production dependency with version, licence, purl and hash', () => {
    const components = new Map(bom.components.map((one: any) => [one.purl, one]));
    const shipped = marked(false);
    expect(shipped.length).toBeGreaterThan(100);
    for (const [path, { version, integrity, license }] of shipped) {
      const name = nameOf(path);
      const { licenses, hashes, ...component } = components.get(purlOf(name, version)) as any;
      expect([component.group, component.name].filter(Boolean).join('/')).toBe(name);
      expect(component.version).toBe(version);
      const [{ license: one, expression }] = licenses;
      expect(one?.id ?? expression).toEqual(license ?? expect.stringMatching(/./));
      const digest = Buffer.from(hashes[0].content, 'hex').toString('base64');
      expect(integrity).toBe(`sha512-${digest}`);
      expect(hashes[0].alg).toBe('SHA-512');
    }
    expect(components.size).toBe(bom.components.length);
  });

  it('names no other package: none for development, and not the Prisma CLI', () => {
    const shipped = marked(false).map(([path, { version }]) => purlOf(nameOf(path), version));
    expect(bom.components.map(({ purl }: any) => purl).sort()).toEqual(
      [...new Set(shipped)].sort(),
    );
    expect(shipped).not.toContain(purlOf('prisma', packages['node_modules/prisma'].version));
    expect(marked(true).map(([path]) => path)).toContain('node_modules/prisma');
  });

  it('says of each what it needs, and nothing that is not in it', () => {
    const refs = new Set([
      bom.metadata.component['bom-ref'],
      ...bom.components.map((one: any) => one['bom-ref']),
    ]);
    const needs = new Map<string, string[]>(
      bom.dependencies.map((one: any) => [one.ref, one.dependsOn]),
    );
    expect(new Set(needs.keys())).toEqual(refs);
    expect(refs).toEqual(new Set([...refs, ...[...needs.values()].flat()]));
    const direct = Object.entries(JSON.parse(read('package.json')).dependencies);
    const own = needs.get(bom.metadata.component['bom-ref']);
    expect(own).toEqual(
      expect.arrayContaining(direct.map(([name, version]) => purlOf(name, version as string))),
    );
  });

  it('is the same, byte for byte, when it is made again', () => {
    expect(run('sbom.mjs', file).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('the packages that are shipped', () => {
  it('have licences that are allowed, and each has one', () => {
    expect(run('lint-licences.mjs')).toEqual({ status: 0, stderr: '' });
  });

  it.each([
    ['GPL-3.0-only', false],
    [undefined, false],
    ['(MIT AND GPL-3.0-only)', false],
    ['(MIT OR GPL-3.0-only)', true],
  ])('pass with the licence %s: %s', (license, isAllowed) => {
    const { status, stderr } = run('lint-licences.mjs', lockWith('node_modules/pg', { license }));
    expect(status).toBe(isAllowed ? 0 : 1);
    const { version } = packages['node_modules/pg'];
    if (!isAllowed) expect(stderr).toContain(`pg@${version} would be shipped`);
  });

  it('need no peer that is not shipped too', () => {
    const shipped = shippedPackages();
    const names = new Set(shipped.map(({ name }) => name));
    const missing = shipped.flatMap(({ path, name }) => {
      const { peerDependencies = {}, peerDependenciesMeta: meta = {} } = packages[path];
      const required = Object.keys(peerDependencies).filter((peer) => !meta[peer]?.optional);
      // Types are for the compiler.
      const wanted = required.filter((peer) => !peer.startsWith('@types/') && !names.has(peer));
      return wanted.map((peer) => `${name} needs ${peer}`);
    });
    expect(missing).toEqual([]);
  });
});

describe('installing', () => {
  it('would run known scripts alone', () => {
    const found = Object.entries<any>(packages).filter(([, one]) => one.hasInstallScript);
    expect(found.map(([path]) => path).sort()).toEqual(Object.keys(INSTALL_SCRIPTS).sort());
  });

  it('runs none of them, in the image and where one contributes', () => {
    const installs = [...read('Dockerfile').matchAll(/npm (?:ci|install|i)\b.*/g)].map(String);
    expect(installs).toHaveLength(2);
    installs.push(...[...read('CONTRIBUTING.md').matchAll(/^npm ci.*/gm)].map(String));
    expect(installs).toHaveLength(3);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
  });
});

describe('the image', () => {
  const stages = read('Dockerfile').split(/^FROM .*\n/m);
  const last = stages.at(-1)!;

  it('has the built server, the packages that are shipped, and the bill of materials', () => {
    expect(last).toContain('COPY --from=dependencies /app/node_modules ./node_modules\n');
    expect(last).toContain('COPY --from=build /app/dist ./dist\n');
    // The build writes it into dist/, and the packages are installed as it lists them.
    expect(JSON.parse(read('package.json')).scripts.build).toMatch(/&& npm run sbom$/);
    expect(stages.at(-2)).toMatch(/npm ci --omit=dev --legacy-peer-deps .*--workspaces=false$/m);
  });

  it('is built from what .dockerignore lets through', () => {
    const rules = read('.dockerignore').trim().split('\n');
    const isLeftOut = (path: string) =>
      rules.some((rule) =>
        rule.startsWith('**/')
          ? `/${path}/`.includes(`/${rule.slice(3)}/`)
          : `${path}/`.startsWith(`${rule}/`),
      );
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(
      ([, paths]) => paths!.split(' ').slice(0, -1),
    );
    expect(copied).toContain('sdk/typescript/package.json');
    for (const path of copied) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
      expect([path, isLeftOut(path)]).toEqual([path, false]);
    }
    const unwanted = [
      '.git/HEAD',
      '.env',
      'node_modules/pg',
      'web/node_modules/vite',
      'web/dist/a',
    ];
    for (const path of unwanted) expect([path, isLeftOut(path)]).toEqual([path, true]);
  });

  it('runs as a numbered user that is not root, and needs no shell', () => {
    expect([...last.matchAll(/^USER (.*)$/gm)].map(([, user]) => user)).toEqual(['1000:1000']);
    const commands = [...last.matchAll(/^\s*CMD (.*)$/gm)].map(([, command]) => command!);
    expect(commands.map((command) => JSON.parse(command)[0])).toEqual(['node', 'node']);
    expect(last.indexOf('\nUSER')).toBeLessThan(last.indexOf('\nHEALTHCHECK'));
  });

  it('is given no more than it needs by compose.yaml', () => {
    const { services, volumes } = load(read('compose.yaml')) as any;
    expect(services.claviger).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      tmpfs: '/tmp',
      volumes: ['claviger:/data'],
    });
    expect(services.claviger).not.toHaveProperty('user');
    expect(services.claviger).not.toHaveProperty('privileged');
    expect(Object.keys(volumes)).toContain('claviger');
    expect(last).toContain('DATA_DIR=/data\n');
  });
});
