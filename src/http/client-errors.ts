import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newRequestId } from './request-context.js';
import { Problem, PROBLEM_CONTENT_TYPE, toProblemBody } from './problem.js';

/** Told of every answer that was made below the router, where there is neither path nor trail. */
export type BelowRouterCounter = (status: number) => void;

interface ClientError extends Error {
  code?: string;
}

/** What Node knows of the answer that is being written on a connection. */
interface SocketInUse extends Socket {
  _httpMessage?: { _headerSent?: boolean } | null;
}

/**
 * The `clientErrorHandler` of Fastify: 408 for what arrives too slowly, 431 for too many headers, 400 for what is no HTTP.
 * The connection ends; nothing is said on one where an answer is already on its way.
 */
export function clientErrorHandler(count: BelowRouterCounter) {
  return (error: ClientError, socket: SocketInUse): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const problem = problemOf(error.code);
    count(problem.status);
    if (socket.writable && socket._httpMessage?._headerSent !== true) {
      socket.write(rawAnswer(problem));
    }
    socket.destroy(error);
  };
}

/** `Expect` with anything but `100-continue` is 417 (RFC 9110 section 10.1.1); Node would answer without a body. */
export function installExpectationCheck(server: Server, count: BelowRouterCounter): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const problem = new Problem(417, 'expectation_failed', 'This expectation cannot be met.');
    count(problem.status);
    const { headers, body } = parts(problem);
    response.writeHead(problem.status, { ...headers, Connection: 'close' }).end(body);
  });
}

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'request_timeout', 'The request took too long to arrive.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(431, 'headers_too_large', 'The headers may have at most 16 KiB in all.');
  }
  return new Problem(400, 'bad_request', 'This is not a valid HTTP request.');
}

function rawAnswer(problem: Problem): string {
  const { headers, body } = parts(problem);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const phrase = { 400: 'Bad Request', 408: 'Request Timeout' }[problem.status];
  const status = `HTTP/1.1 ${problem.status} ${phrase ?? 'Request Header Fields Too Large'}`;
  return [status, ...lines, '', body].join('\r\n');
}

function parts(problem: Problem): { headers: Record<string, string>; body: string } {
  const id = newRequestId();
  const body = JSON.stringify(toProblemBody(problem, { context: { id } }));
  const headers = {
    'Cache-Control': 'no-store',
    'Content-Length': String(Buffer.byteLength(body)),
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': id,
  };
  return { headers, body };
}
