import { createServer, connect, type Socket } from 'node:net';

/** When the connection is cut: before the server gets the words, or once it has answered them, unheard. */
export type CutWhen = 'before' | 'after';

/** Between a server and its PostgreSQL: cuts a connection at the words that it is waiting for, once. */
export interface CuttingProxy {
  port: number;
  /** Resolves when it has cut. */
  cutAt(words: string, when: CutWhen): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  words: string;
  when: CutWhen;
  done: () => void;
}

/** Listens on a port of 127.0.0.1 and hands everything on to `target`. */
export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  let waiting: Waiting | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', cut);
    }
    let isDeaf = false;
    near.on('data', (chunk) => {
      const here = waiting !== undefined && chunk.includes(waiting.words) ? waiting : undefined;
      if (here !== undefined) waiting = undefined;
      if (here?.when === 'before') {
        cut();
        here.done();
        return;
      }
      far.write(chunk);
      if (here === undefined) return;
      isDeaf = true;
      far.once('data', () => {
        cut();
        here.done();
      });
    });
    far.on('data', (chunk) => {
      if (!isDeaf) near.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    cutAt: (words, when) =>
      new Promise((done) => {
        waiting = { words, when, done };
      }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
