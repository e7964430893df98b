import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shippedPackages } from '../scripts/shipped.mjs';

const ROOT = join(import.meta.dirname, '..');
/** Docker's last stage: what the image is made of and runs. */
const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  .split(/^FROM .*\n/m)
  .at(-1)!;
const isRoot = process.getuid?.() === 0;

/** What is there of the machine: Node, and the libraries under it. */
const MACHINE = ['/usr', '/lib', '/lib64', '/bin', '/etc', dirname(process.execPath)];

/** What the image has beside packages, by its place in this tree and under /app. */
const OURS = [...image.matchAll(/^COPY (?!--from=dependencies)(?:--from=build )?(.+)$/gm)]
  .flatMap(([, paths]) => paths!.split(' ').slice(0, -1))
  .map((path) => path.replace('/app/', ''));

/** The packages that are shipped and no others, each with what is in its own node_modules. */
const PACKAGES = shippedPackages()
  .map(({ path }) => path)
  .filter((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path));

/**
 * Builds a root file system in $1, with $2 as /data, makes it the only one, and becomes the command behind them: as user 1000,
 * without a capability or a way to one. Only /data and /tmp can be written to. The mounts go with the process.
 */
const SCRIPT = `set -eu
PATH=$PATH:/usr/sbin:/sbin
root=$1; data=$2; shift 2
place() {
  [ -e "$1" ] || return 0
  [ -e "$root$2" ] || if [ -d "$1" ]; then mkdir -p "$root$2"; else : > "$root$2"; fi
  mount -o bind,ro "$1" "$root$2"
}
mount -t tmpfs tmpfs "$root"
for path in ${MACHINE.join(' ')}; do [ -e "$root$path" ] || place "$path" "$path"; done
mkdir -p ${PACKAGES.map((path) => `"$root/app/${path}"`).join(' ')}
for path in ${[...OURS, ...PACKAGES].join(' ')}; do place "${ROOT}/$path" "/app/$path"; done
mkdir "$root/dev" "$root/proc" "$root/data" "$root/tmp"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$data" "$root/data"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -o remount,bind,ro "$root"
cd "$root"
pivot_root . .
umount -l .
cd /app
exec ${
  isRoot
    ? 'setpriv --reuid=1000 --regid=1000 --clear-groups'
    : 'unshare --user --map-user=1000 --map-group=1000 --keep-caps setpriv'
} --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"`;

/** The command that runs `command` in such a container. `root` is an empty folder, `data` one of user 1000. */
export function contained(root: string, data: string, command: string[]): [string, ...string[]] {
  const namespaces = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  return ['unshare', ...namespaces, 'sh', '-c', SCRIPT, 'sh', root, data, ...command];
}

/** Why this machine makes no such container; undefined when it does. */
export function whyNotContained(root: string, data: string): string | undefined {
  const [file, ...args] = contained(root, data, ['node', '-e', '']);
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** The command of the image's health check, which needs no shell. */
export function healthCheck(): string[] {
  const [, command] = /^HEALTHCHECK [^]*?CMD (.*)$/m.exec(image)!;
  return JSON.parse(command!) as string[];
}
