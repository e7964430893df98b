import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was asked and what was answered. */
export interface Exchange {
  method: string;
  /** Without its query. */
  path: string;
  status: number;
  /** Absent when nobody set it. */
  requestId: string | undefined;
}

/** Between a tool and the server. */
export interface RecordingProxy {
  url: string;
  exchanges: Exchange[];
  close(): Promise<void>;
}

/**
 * Hands everything on as it is, and keeps what it sees. Each request comes from another address, because thousands of refusals
 * of a single one are a flood and not a test; and what stands for the tool's own credential is `spared`: a request that names
 * it, and could change it, is about something that nobody has.
 */
export async function startRecordingProxy(
  target: string,
  spared: readonly string[] = [],
): Promise<RecordingProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer({ maxHeaderSize: 1_048_576 }, (incoming, outgoing) => {
    const headers = [...incoming.rawHeaders, 'X-Forwarded-For', address(exchanges.length)];
    const { method = '', url = '/' } = incoming;
    const path = method === 'GET' ? url : withoutSpared(url, spared);
    const onward = request(target, { method, path, headers });
    onward.on('response', (answer) => answerWith(answer, outgoing, { method, url, exchanges }));
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  // As long as the tools keep theirs: one that is closed just when it is used again would be a failure of nobody's.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answerWith(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  { method, url, exchanges }: { method: string; url: string; exchanges: Exchange[] },
): void {
  const status = answer.statusCode!;
  const requestId = answer.headers['x-request-id'];
  exchanges.push({ method, path: url.split('?')[0]!, status, requestId: requestId?.toString() });
  outgoing.writeHead(status, answer.statusMessage, answer.rawHeaders);
  answer.pipe(outgoing);
  answer.on('error', () => outgoing.destroy());
}

function address(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

function withoutSpared(url: string, spared: readonly string[]): string {
  return spared.reduce((left, id) => left.replaceAll(id, `${id.slice(0, -4)}0000`), url);
}
