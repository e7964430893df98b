import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { freePort } from './free-port.js';

/** Whether there is a `redis-server` on the PATH; without one the specs that need it are skipped, and say so. */
export const hasRedis = isInstalled();

/** A real Redis on a port of its own, which keeps its port when it is started again. */
export class TestRedis {
  private child: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  /** Starts one. */
  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort());
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again), empty, and waits until it accepts connections. */
  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', ''];
    const child = spawn('redis-server', [...options, '--appendonly', 'no', '--dir', '/tmp'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${output}`)));
    });
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Lets it keep its connections, but say nothing any more. */
  hang(): void {
    this.child?.kill('SIGSTOP');
  }

  /** Ends {@link hang}. */
  resume(): void {
    this.child?.kill('SIGCONT');
  }
}

function isInstalled(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('SKIPPED: there is no redis-server, so shared limits are not tested\n');
    return false;
  }
}
