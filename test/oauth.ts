import { createServer, type AddressInfo } from 'node:net';
import { remember } from './canary.js';
import type { Answer, Client } from './harness.js';

/** What clients of OAuth send, for the specs under that name. */

export const FORM = 'application/x-www-form-urlencoded';

/** Posts a form. A string is sent as it is. */
export function postForm(
  client: Client,
  path: string,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  return client.request('POST', path, body, { 'content-type': FORM, ...headers });
}

/** The header of HTTP Basic, with id and secret form-encoded as strictly as some clients do: `_` and `-` too. */
export function basic(id: string, secret: string): { authorization: string } {
  const encode = (text: string) =>
    text.replace(/[^A-Za-z0-9]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  remember(encode(secret));
  return { authorization: rawBasic(`${encode(id)}:${encode(secret)}`) };
}

/** The header with just this text in it. */
export function rawBasic(text: string): string {
  const encoded = Buffer.from(text).toString('base64');
  if (text.length > 40) remember(encoded);
  return `Basic ${encoded}`;
}

/** A port that nobody has, for a server that must know its own address before it starts. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
