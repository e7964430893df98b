import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own (tmpfs), which can be filled up. */
export class SmallDisk {
  private constructor(readonly path: string) {}

  /** Undefined where one may not be mounted, which takes an administrator of Linux. */
  static mount(megabytes: number): SmallDisk | undefined {
    const path = mkdtempSync(join(tmpdir(), 'claviger-disk-'));
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', path];
    if (spawnSync('mount', options, { stdio: 'ignore' }).status === 0) return new SmallDisk(path);
    rmdirSync(path);
    return undefined;
  }

  /** Until not a byte more goes onto it. */
  fill(): void {
    const file = openSync(this.filler, 'w');
    for (const size of [1024 * 1024, 4096, 1]) while (takes(file, size));
    closeSync(file);
  }

  /** Gives the room back. */
  empty(): void {
    rmSync(this.filler, { force: true });
  }

  /** Away with it, and with what is on it. Nobody may use it any more. */
  unmount(): void {
    spawnSync('umount', [this.path], { stdio: 'inherit' });
    rmdirSync(this.path);
  }

  private get filler(): string {
    return join(this.path, 'filler');
  }
}

function takes(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
