import { readFileSync } from 'node:fs';

/** Whose production dependencies end up in an image: the server's as packages, the panel's inside its bundle. */
const ROOTS = ['', 'web'];

/** What package-lock.json does not say, because the packages' own package.json has it in an old form or not at all. */
const LICENCES = {
  'passport-http-bearer@1.0.1': 'MIT', // "licenses", a list
  'passport-strategy@1.0.0': 'MIT', // "licenses", a list
  'pause@0.0.1': 'MIT', // the whole text, in its Readme.md
};

/**
 * The packages of others that a release consists of: what the roots depend on, however far, by `dependencies` and
 * `optionalDependencies` (those of every platform). Peers are not followed: an optional one, such as the Prisma CLI of @prisma/client,
 * is not wanted, and a required one is a dependency of somebody here anyway (test/supply-chain.e2e-spec.ts).
 * @param file a package-lock.json, version 3
 * @returns {{ path: string, name: string, version: string, licence: string | undefined, integrity: string, optional: boolean, needs: string[] }[]}
 *   in the order of their paths; `needs` are paths too
 * @throws Error when the file does not have what a package needs
 */
export function shippedPackages(file = 'package-lock.json') {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  const needs = new Map();
  const visit = (path) => {
    if (needs.has(path)) return;
    const found = neededBy(packages, path);
    needs.set(path, found);
    found.forEach(visit);
  };
  ROOTS.forEach(visit);
  return [...needs.keys()]
    .filter((path) => isOfOthers(path))
    .sort()
    .map((path) => ({ ...describe(path, packages[path]), needs: needs.get(path) }));
}

/** The paths of what the server or the panel asks for itself, or by one of our own packages. */
export function directlyNeeded(file = 'package-lock.json') {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  const own = (path) =>
    neededBy(packages, path).flatMap((needed) => (isOfOthers(needed) ? [needed] : own(needed)));
  return [...new Set(ROOTS.flatMap(own))].sort();
}

const isOfOthers = (path) => path.includes('node_modules/');

function neededBy(packages, path) {
  const { dependencies = {}, optionalDependencies = {} } = packages[path];
  return Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const found = resolve(packages, path, name);
    if (found === undefined && !(name in optionalDependencies))
      throw new Error(`package-lock.json has no ${name} for ${path || 'the server'}`);
    return found ?? [];
  });
}

/** Where Node finds a package: in the folder's own node_modules, or in that of one above it. */
function resolve(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
    const candidate = `${folder}${folder && '/'}node_modules/${name}`;
    const found = packages[candidate];
    if (found !== undefined) return found.link ? found.resolved : candidate;
    if (folder === '') return undefined;
  }
}

function describe(path, { version, license, integrity, optional = false }) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const licence = license ?? LICENCES[`${name}@${version}`];
  return { path, name, version, licence, integrity, optional };
}
