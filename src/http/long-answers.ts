import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as othersTurn, setTimeout as delay } from 'node:timers/promises';
import { Problem } from './problem.js';

/** From the beginning of the shutdown until answers that still run get no further piece. */
const CUT_AFTER_MS = 7_000;
/** What a client then has to take what is on its way, before the connection goes: 8 s and a bit into the shutdown. */
const CUT_GRACE_MS = 1_400;
/** A client that takes nothing for this long is gone. */
const STALLED_AFTER_MS = 120_000;
const MAX_PER_OWNER = 4;
const RETRY_AFTER_SECONDS = 5;
const FLUSH_CHECK_MS = 10;
const READ_AHEAD_BYTES = 16_384;

/**
 * Makes an answer piece by piece. When the signal is aborted it must end or throw before the next piece. Only between two
 * pieces does it hear of that, or of a client that has gone: who works long for one yields empty ones meanwhile.
 */
export type Producer = (signal: AbortSignal) => AsyncGenerator<string, void>;

/** The answer cannot be finished: the connection is broken off after the last whole piece. */
export class AnswerCutError extends Error {
  override readonly name = 'AnswerCutError';
  /** @param reason a stable machine word */
  constructor(readonly reason: string) {
    super(`the answer was cut: ${reason}`);
  }
}

/** One answer that is, or will be, streamed; it holds one of its owner's places until it ends. */
export interface LongAnswer {
  /**
   * The stream to be answered. The first piece is made when the stream is read, so nothing is done for an answer that the
   * audit gate replaces. A producer that throws breaks the connection off, so that nobody takes a part for the whole.
   */
  stream(produce: Producer): Readable;
  /** Gives the place back; by itself when the stream has closed. */
  end(): void;
  /** Has something done when the place is given back. */
  onEnd(work: () => void): void;
}

interface Running {
  stream: Readable;
  controller: AbortController;
}

/**
 * The answers that take long, exports and imports: how many an owner may have at once, what becomes of them when their
 * client stops reading or the server stops.
 */
@Injectable()
export class LongAnswers implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('LongAnswers');
  private readonly places = new Map<string, number>();
  private readonly running = new Set<Running>();

  /** Takes a place. `owner`: an organization, or `system`. Errors: 429 `too_many_running`. */
  begin(request: FastifyRequest, owner: string): LongAnswer {
    const taken = this.places.get(owner) ?? 0;
    if (taken >= MAX_PER_OWNER) throw tooManyRunning();
    this.places.set(owner, taken + 1);
    const endings: (() => void)[] = [() => this.leave(owner)];
    const end = (): void => endings.splice(0).forEach((work) => work());
    return {
      stream: (produce) => this.stream(request.raw.socket, produce, end),
      end,
      onEnd: (work) => void endings.push(work),
    };
  }

  /** Lets running answers go on for a while; then they are cut, while the server still closes. */
  beforeApplicationShutdown(): void {
    const cut = (): void => this.running.forEach(({ controller }) => controller.abort());
    // Whoever does not read cannot be waited for.
    const destroy = (): void => this.running.forEach(({ stream }) => stream.destroy());
    setTimeout(cut, CUT_AFTER_MS).unref();
    setTimeout(destroy, CUT_AFTER_MS + CUT_GRACE_MS).unref();
  }

  /** Waits until the last answer has noted on the trail how it ended. */
  async onApplicationShutdown(): Promise<void> {
    const closed = [...this.running].map(
      ({ stream }) => new Promise<void>((resolve) => void stream.once('close', () => resolve())),
    );
    this.running.forEach(({ stream }) => stream.destroy());
    await Promise.all(closed);
  }

  private stream(socket: Socket, produce: Producer, end: () => void): Readable {
    const controller = new AbortController();
    const stalled = setTimeout(() => stream.destroy(), STALLED_AFTER_MS).unref();
    const pieces = this.pieces(produce(controller.signal), socket, () => stalled.refresh());
    const stream = Readable.from(pieces, { objectMode: false, highWaterMark: READ_AHEAD_BYTES });
    const entry = { stream, controller };
    this.running.add(entry);
    stream.once('close', () => {
      clearTimeout(stalled);
      this.running.delete(entry);
      end();
    });
    return stream;
  }

  private async *pieces(made: AsyncIterable<string>, socket: Socket, onTaken: () => void) {
    try {
      for await (const piece of made) {
        yield piece;
        onTaken();
        // The embedded database answers at once: without this nobody else would be heard until the end.
        await othersTurn();
      }
    } catch (error) {
      if (!(error instanceof AnswerCutError || error instanceof Problem)) {
        this.logger.error('a streamed answer failed', (error as Error).stack);
      }
      await flushed(socket);
      await broken(socket);
    }
  }

  private leave(owner: string): void {
    const taken = this.places.get(owner) ?? 1;
    if (taken === 1) this.places.delete(owner);
    else this.places.set(owner, taken - 1);
  }
}

/**
 * Breaks a connection off. An error of the stream would do that too, but only once the headers are sent: before, it would
 * be answered, and the trail says already what was.
 */
async function broken(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
}

/** Until the operating system has all that was written; a piece may still be between two streams, so looked at thrice. */
async function flushed(socket: Socket): Promise<void> {
  const deadline = performance.now() + CUT_GRACE_MS;
  for (let idle = 0; idle < 3 && !socket.destroyed && performance.now() < deadline;) {
    await delay(FLUSH_CHECK_MS);
    idle = socket.writableLength === 0 ? idle + 1 : 0;
  }
}

function tooManyRunning(): Problem {
  return new Problem(
    429,
    'too_many_running',
    `At most ${MAX_PER_OWNER} exports and imports of an organization run at once.`,
    { headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } },
  );
}
