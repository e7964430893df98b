import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { asSuperuser, startPrivatePostgres } from '../../scripts/private-postgres.mjs';

const run = promisify(execFile);

/** A PostgreSQL of one's own that can be stopped, frozen and killed, and comes back on the same port with the same data. */
export class PostgresServer {
  private constructor(private readonly server: Awaited<ReturnType<typeof startPrivatePostgres>>) {}

  /** Starts one. Errors: no binaries are installed. */
  static async start(settings: Record<string, string | number> = {}): Promise<PostgresServer> {
    return new PostgresServer(await startPrivatePostgres({ settings }));
  }

  /** A new empty database, of the login that Claviger uses. */
  createDatabase(name: string): Promise<string> {
    return this.server.createDatabase(name);
  }

  /** Puts a database to which nobody is connected into another directory. */
  async move(database: string, directory: string): Promise<void> {
    spawnSync('chown', [`--reference=${this.server.data}`, directory], { stdio: 'inherit' });
    await this.asSuperuser(`CREATE TABLESPACE elsewhere LOCATION '${directory}'`);
    await this.asSuperuser(`ALTER DATABASE ${database} SET TABLESPACE elsewhere`);
  }

  /** One statement; answers its rows. */
  asSuperuser(statement: string, database = 'postgres'): Promise<any[]> {
    return asSuperuser(this.server.superuserUrl.replace(/postgres$/, database), statement);
  }

  /** Starts it again, after a crash as soon as nothing is left of the one before; resolves when it serves. */
  async restart(): Promise<void> {
    const { command, args, options } = this.server.pgCtl;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // With a pipe, pg_ctl's child would keep it open.
        await run(command, args, { ...options, stdio: 'ignore' } as object);
        return;
      } catch (error) {
        if (attempt === 20) throw error;
        await delay(100);
      }
    }
  }

  /** As an administrator would in a hurry: every connection is cut, and new ones are refused. */
  async stopFast(): Promise<void> {
    const { command, options } = this.server.pgCtl;
    await run(command, ['-D', this.server.data, '-m', 'fast', '-w', 'stop'], options);
  }

  /** `kill -9` of all its processes at once. */
  crash(): void {
    for (const pid of this.processes()) kill(pid, 'SIGKILL');
  }

  /** It neither answers nor closes, as a machine that hangs. */
  freeze(): void {
    for (const pid of this.processes()) kill(pid, 'SIGSTOP');
  }

  /** It goes on. */
  thaw(): void {
    for (const pid of this.processes()) kill(pid, 'SIGCONT');
  }

  /** Ends it for good. */
  end(): void {
    this.thaw();
    this.server.stop();
  }

  /** The first process, and those that it has made. */
  private processes(): number[] {
    let first: string | undefined;
    try {
      [first] = readFileSync(join(this.server.data, 'postmaster.pid'), 'utf8').split('\n');
    } catch {
      return []; // it does not run
    }
    const { stdout } = spawnSync('pgrep', ['-P', String(first)], { encoding: 'utf8' });
    return [first, ...stdout.split('\n')].map(Number).filter((pid) => pid > 0);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
