/** Where {@link ExportLog} writes. */
export interface Lines {
  warn(line: string): void;
  log(line: string): void;
}

/** How long nothing more is said of the same. */
const QUIET_MS = 60_000;

/**
 * Says what becomes of exports, seldom: that they fail at most once a minute, however often they do, and that they work again
 * once after that.
 */
export class ExportLog {
  private lost = 0;
  private isFailing = false;
  private failedAt = -Infinity;
  private warnedAt = -Infinity;

  constructor(
    private readonly lines: Lines,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** So many spans could not be handed over, and are lost. */
  failed(error: unknown, spans: number): void {
    this.lost += spans;
    if (this.now() - this.failedAt < QUIET_MS) return;
    this.failedAt = this.now();
    this.isFailing = true;
    this.lines.warn(`traces cannot be exported: ${reasonOf(error)}; spans lost: ${this.lost}`);
    this.lost = 0;
  }

  /** Spans have been handed over. */
  succeeded(): void {
    if (!this.isFailing) return;
    this.isFailing = false;
    this.lines.log('traces are exported again');
  }

  /** What the SDK itself has to say: that there are more spans than it can send, or that a variable of it is no good. */
  warned(text: string): void {
    if (this.now() - this.warnedAt < QUIET_MS) return;
    this.warnedAt = this.now();
    this.lines.warn(`traces: ${text}`);
  }
}

/** Never what the collector has answered: it may repeat what it was sent. */
function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'number') return `the collector answers ${code}`;
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message : 'for an unknown reason';
}
