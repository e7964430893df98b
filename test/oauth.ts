import { remember } from './canary.js';
import type { Answer, Client } from './harness.js';

/** What clients of OAuth send, for the specs under that name. */

export const FORM = 'application/x-www-form-urlencoded';

/** What a form has in it; a list is a parameter that is there several times. */
type Form = Record<string, string | string[]>;

/** Posts a form. A string is sent as it is. */
export function postForm(
  client: Client,
  path: string,
  form: Form | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof form === 'string' ? form : encoded(form);
  return client.request('POST', path, body, { 'content-type': FORM, ...headers });
}

function encoded(form: Form): string {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const one of [value].flat()) body.append(name, one);
  }
  return body.toString();
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

/** Asks for an access token with the token of a key (`client_secret_post`). */
export function askForToken(
  client: Client,
  account: { id: string; token: string },
  form: Form = {},
): Promise<Answer> {
  return postForm(client.withToken(), '/oauth/token', {
    grant_type: 'client_credentials',
    client_id: account.id,
    client_secret: account.token,
    ...form,
  });
}

/** A client that presents an access token of this account as its bearer. */
export async function withAccessToken(
  client: Client,
  account: { id: string; token: string },
  form: Form = {},
): Promise<Client> {
  const { status, body } = await askForToken(client, account, form);
  if (status !== 200) throw new Error(`no access token: ${JSON.stringify(body)}`);
  return client.withToken(body.access_token);
}
