import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { directlyNeeded, shippedPackages } from './shipped.mjs';

/**
 * `npm run sbom`: what a release consists of, as CycloneDX 1.6 (ECMA-424) in dist/sbom.cdx.json or the file named. It is made from
 * package-lock.json alone and has neither a time nor a random number, so that one commit has one such file, wherever it is made.
 */
const [file = 'dist/sbom.cdx.json'] = process.argv.slice(2);

const purlOf = ({ name, version }) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

const licencesOf = (licence) => {
  if (licence === undefined) return [];
  return [/\s/.test(licence) ? { expression: licence } : { license: { id: licence } }];
};

/** `sha512-<base64>`, as npm has it. */
function hashOf(integrity) {
  const [algorithm, digest] = integrity.split('-', 2);
  const alg = algorithm.toUpperCase().replace('SHA', 'SHA-');
  return { alg, content: Buffer.from(digest, 'base64').toString('hex') };
}

function componentOf(one) {
  const [, group, name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(one.name);
  return {
    type: 'library',
    'bom-ref': purlOf(one),
    ...(group && { group }),
    name,
    version: one.version,
    scope: one.optional ? 'optional' : 'required',
    hashes: [hashOf(one.integrity)],
    licenses: licencesOf(one.licence),
    purl: purlOf(one),
  };
}

function bomOf(own) {
  const shipped = shippedPackages();
  const byPath = new Map(shipped.map((one) => [one.path, one]));
  const purls = (paths) => [...new Set(paths.map((path) => purlOf(byPath.get(path))))].sort();
  // A package may be in several folders in one version.
  const components = new Map(shipped.map((one) => [purlOf(one), componentOf(one)]));
  const needs = new Map([[purlOf(own), directlyNeeded()]]);
  for (const one of shipped)
    needs.set(purlOf(one), [...(needs.get(purlOf(one)) ?? []), ...one.needs]);
  const inOrder = ([a], [b]) => (a < b ? -1 : 1);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': purlOf(own),
        name: own.name,
        version: own.version,
        licenses: licencesOf(own.license),
        purl: purlOf(own),
      },
    },
    components: [...components].sort(inOrder).map(([, component]) => component),
    dependencies: [...needs]
      .sort(inOrder)
      .map(([ref, paths]) => ({ ref, dependsOn: purls(paths) })),
  };
}

mkdirSync(dirname(file), { recursive: true });
const bom = bomOf(JSON.parse(readFileSync('package.json', 'utf8')));
writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
