import { expect } from '@jest/globals';
import type { Client } from './client.js';

/** What an import has answered: its lines, the last one apart. */
export interface Imported {
  status: number;
  body: any;
  rows: any[];
  last: any;
  requestId: string;
}

/** The values of newline-delimited JSON. */
export const lines = (text: string): any[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Sends a file to `path` and reads the whole answer. */
export async function importFrom(
  client: Client,
  path: string,
  file: string | Buffer,
  { type = 'text/csv', query = '' } = {},
): Promise<Imported> {
  const response = await fetch(client.url + path + query, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.token}`, 'content-type': type },
    body: file as string,
  });
  const text = await response.text();
  const requestId = response.headers.get('x-request-id')!;
  const { status } = response;
  if (status !== 200) return { status, body: JSON.parse(text), rows: [], last: null, requestId };
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const rows = lines(text);
  return { status, body: undefined, rows, last: rows.pop(), requestId };
}
