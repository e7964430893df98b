import { statfsSync } from 'node:fs';
import { DatabaseUnavailableError } from './errors.js';

/** Four segments of PostgreSQL's log, each of 16 MiB. */
const LEAST = 64 * 1024 * 1024;
/** Milliseconds: far less than it takes to write one segment. */
const LOOK_EVERY = 250;

/**
 * Sees to it that the embedded database always finds room on its disk. PostgreSQL stands a table that cannot grow; but where its log
 * cannot, it ends its process and begins anew, and the embedded one, which has no process of its own, would stand still for ever,
 * and this process with it. So it is not written to any more while it still has room.
 */
export class DiskRoom {
  private lookedAt = -Infinity;
  private left = Infinity;

  /** @param directory on the disk in question; it has to be there. */
  constructor(private readonly directory: string) {}

  /** Errors: DatabaseUnavailableError, when less than 64 MiB are left to this process. */
  check(): void {
    const now = performance.now();
    if (now - this.lookedAt >= LOOK_EVERY) {
      const { bavail, bsize } = statfsSync(this.directory);
      this.left = bavail * bsize;
      this.lookedAt = now;
    }
    if (this.left >= LEAST) return;
    const megabytes = (bytes: number) => Math.floor(bytes / 1024 / 1024);
    throw new DatabaseUnavailableError(
      `DATA_DIR has ${megabytes(this.left)} MiB left on its disk, and must have ${megabytes(LEAST)}`,
    );
  }
}
