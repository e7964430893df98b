import { connect } from 'node:net';

/** A login that has begun and not ended. */
export interface HalfALogin {
  /** Sends the other half. */
  finish(): void;
  /** All that was received, once the connection is closed. */
  closed: Promise<string>;
}

/** A login of which the server has the headers, but only half the body. */
export async function halfALogin(
  url: string,
  login: { email: string; password: string },
): Promise<HalfALogin> {
  const body = JSON.stringify(login);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  const continues = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.write(
    `POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  // The server says "100 Continue" once it has taken the request in.
  await continues;
  socket.write(body.slice(0, 10));
  return { finish: () => socket.write(body.slice(10)), closed };
}
