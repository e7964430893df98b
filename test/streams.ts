import { type IncomingMessage, request } from 'node:http';
import type { Client } from './harness.js';

/** An answer that is read at the reader's own pace. */
export interface SlowAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** Reads until at least so many characters are there; answers all so far. */
  upTo(characters: number): Promise<string>;
  /** Reads the rest; `complete` is false when the connection broke. */
  rest(): Promise<{ text: string; complete: boolean }>;
  /** Breaks the connection. */
  destroy(): void;
}

/** Sends a request of which the answer is not read before it is asked for. */
export function slowly(
  client: Client,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<SlowAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      client.url + path,
      {
        method: options.method ?? 'GET',
        headers: { authorization: `Bearer ${client.token}`, ...options.headers },
        agent: false,
      },
      (answer) => resolve(slowAnswer(answer)),
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

function slowAnswer(answer: IncomingMessage): SlowAnswer {
  const parts: Buffer[] = [];
  let size = 0;
  let broken = false;
  answer.on('error', () => (broken = true));
  const ended = () => answer.readableEnded || answer.destroyed || broken;
  const read = async (characters: number): Promise<string> => {
    while (size < characters && !ended()) {
      const chunk = answer.read() as Buffer | null;
      if (chunk !== null) {
        parts.push(chunk);
        size += chunk.length;
      } else if (!ended()) await somethingOf(answer);
    }
    return Buffer.concat(parts).toString();
  };
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    upTo: read,
    rest: async () => ({ text: await read(Infinity), complete: answer.complete }),
    destroy: () => answer.destroy(),
  };
}

function somethingOf(answer: IncomingMessage): Promise<void> {
  const names = ['readable', 'end', 'close', 'error'];
  return new Promise((resolve) => {
    const done = () => {
      for (const name of names) answer.off(name, done);
      resolve();
    };
    for (const name of names) answer.on(name, done);
  });
}
