import type { Measured } from '../http/metrics.js';
import type { Count } from '../limits/counts.js';
import type { Listening } from '../welcome.js';

/** Tells a worker what it is: `first`, which has the first start to itself, or `next`. Set by the primary alone. */
export const ROLE_VARIABLE = 'CLAVIGER_WORKER';

/** What workers and their primary say to each other: by topic, what is asked and what is answered. */
export interface Topics {
  /** A worker: it listens. */
  listening: { question: Listening; answer: void };
  /** A worker: count a request for each key. */
  count: { question: string[]; answer: Count[] };
  /** A worker: what have all of us measured? */
  measureAll: { question: null; answer: Measured[] };
  /** The primary: what have you measured? */
  measure: { question: null; answer: Measured };
}

type Topic = keyof Topics;
type Handler = (question: never) => unknown;
type Message =
  | { ask: number; topic: Topic; question: unknown }
  | { answer: number; body?: unknown; isRefused?: boolean };

/** Sends a message to the other process; `failed` is called when it cannot take it. */
type Send = (message: object, failed: (error: Error) => void) => void;

/** The other end of a channel between processes: it can be asked, and asks. */
export class Peer {
  private readonly handlers = new Map<Topic, Handler>();
  private readonly pending = new Map<number, (message: Message | Error) => void>();
  private asked = 0;

  constructor(private readonly send: Send) {}

  /** Answers what the other process asks about this topic. */
  on<T extends Topic>(
    topic: T,
    handle: (question: Topics[T]['question']) => Topics[T]['answer'] | Promise<Topics[T]['answer']>,
  ): void {
    this.handlers.set(topic, handle);
  }

  /** Asks the other process. Errors: it has gone, has failed, or is silent for so long. */
  ask<T extends Topic>(
    topic: T,
    question: Topics[T]['question'],
    patienceMs: number,
  ): Promise<Topics[T]['answer']> {
    const id = (this.asked += 1);
    return new Promise((resolve, reject) => {
      const end = (message: Message | Error): void => {
        clearTimeout(timer);
        this.pending.delete(id);
        if (message instanceof Error) reject(message);
        else if ('isRefused' in message)
          reject(new Error(`${topic}: the other process has failed`));
        else resolve((message as { body?: unknown }).body as Topics[T]['answer']);
      };
      const timer = setTimeout(() => end(new Error(`${topic}: no answer`)), patienceMs);
      this.pending.set(id, end);
      this.send({ ask: id, topic, question } satisfies Message, end);
    });
  }

  /** To be called with every message of the other process. */
  receive(received: unknown): void {
    const message = received as Message;
    if ('answer' in message) this.pending.get(message.answer)?.(message);
    else if ('ask' in message) void this.reply(message.ask, message.topic, message.question);
  }

  private async reply(id: number, topic: Topic, question: unknown): Promise<void> {
    const handle = this.handlers.get(topic);
    let message: Message = { answer: id, isRefused: true };
    try {
      if (handle !== undefined) message = { answer: id, body: await handle(question as never) };
    } catch {
      message = { answer: id, isRefused: true }; // whoever asked goes on without
    }
    this.send(message, () => undefined); // whoever has gone needs no answer
  }
}
