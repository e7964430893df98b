// The release before this one, out of the repository's own history: for tests of what the two have to do with each other.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const NAMED = join(root, 'test/upgrade/previous-release.json');
const RELEASE = /^v?\d+\.\d+\.\d+$/;

/**
 * Which commit the previous release is: the newest release's tag below HEAD, or, when nothing has been released, the one that
 * `test/upgrade/previous-release.json` names.
 * @returns {{ commit: string, name: string } | { missing: string }} or why the history here does not tell
 */
export function findPreviousRelease() {
  const shallow = tryGit('rev-parse', '--is-shallow-repository');
  if (shallow === undefined) return { missing: 'this is no clone of the repository' };
  if (shallow === 'true') return { missing: 'this clone is shallow: git fetch --unshallow --tags' };
  const tags = git('tag', '--merged', 'HEAD', '--no-contains', 'HEAD', '--sort=-version:refname');
  const tag = tags.split('\n').find((name) => RELEASE.test(name));
  const wanted = tag ?? settings().commit;
  const commit = tryGit('rev-parse', '--verify', '--quiet', `${wanted}^{commit}`);
  return commit === undefined
    ? { missing: `the history here does not have ${wanted}` }
    : { commit, name: tag ?? commit.slice(0, 7) };
}

/**
 * `test/upgrade/previous-release.json`.
 * @returns {{ commit: string, subset: string[], leftOut: Record<string, string> }}
 */
export function settings() {
  return JSON.parse(readFileSync(NAMED, 'utf8'));
}

/**
 * Puts the commit's files into an empty folder, installs and builds them.
 * @param {string} commit
 * @param {string} folder
 * @param {string[]} scripts of its package.json, which build what is needed
 */
export function buildRelease(commit, folder, scripts) {
  // An index of its own, so that neither the one here nor the list of work trees knows of it.
  const env = { ...process.env, GIT_INDEX_FILE: join(folder, '.index') };
  run('git', ['read-tree', commit], { cwd: root, env });
  run('git', ['checkout-index', '--all', `--prefix=${folder}/`], { cwd: root, env });
  if (hasTheSamePackages(folder)) shareModules(folder);
  else run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder });
  for (const script of scripts) run('npm', ['run', script], { cwd: folder });
}

/** Whether all that it needs lies here, in the same versions and places; more may. */
function hasTheSamePackages(folder) {
  const [theirs, ours] = [folder, root].map((checkout) => {
    return JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')).packages;
  });
  return Object.entries(theirs).every(([path, { version, integrity }]) => {
    // The workspaces, and the links to them, are its own.
    if (!path.includes('node_modules/') || theirs[path].link) return true;
    return ours[path]?.version === version && ours[path].integrity === integrity;
  });
}

/** Links to the packages here; links among them to workspaces lead to its own. */
function shareModules(folder) {
  for (const workspace of ['', 'sdk/typescript', 'web']) {
    const modules = join(root, workspace, 'node_modules');
    if (!existsSync(modules)) continue;
    const shared = join(folder, workspace, 'node_modules');
    mkdirSync(shared, { recursive: true });
    for (const name of readdirSync(modules)) {
      if (name !== '@claviger') symlinkSync(join(modules, name), join(shared, name));
    }
  }
  mkdirSync(join(folder, 'node_modules/@claviger'));
  symlinkSync('../../sdk/typescript', join(folder, 'node_modules/@claviger/sdk'));
  symlinkSync('../../web', join(folder, 'node_modules/@claviger/web'));
}

function git(...args) {
  return run('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
}

function tryGit(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    ...options,
  });
  if (status === 0) return stdout.trim();
  const reason = error?.message ?? `exit ${status}\n${stdout ?? ''}${stderr ?? ''}`;
  throw new Error(`${command} ${args.join(' ')}: ${reason}`);
}
