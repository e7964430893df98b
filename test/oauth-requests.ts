import type { Answer, Client } from './harness.js';

/** A form as clients of OAuth send it; a list is a parameter that is there several times. */
export function sendForm(
  client: Client,
  path: string,
  form: Record<string, string | string[]>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const one of [value].flat()) body.append(name, one);
  }
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return client.request('POST', path, body.toString(), { ...type, ...headers });
}

/** Asks for an access token with the token of a key (`client_secret_post`). */
export function askForToken(
  client: Client,
  account: { id: string; token: string },
  form: Record<string, string | string[]> = {},
): Promise<Answer> {
  return sendForm(client.withToken(), '/oauth/token', {
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
  form: Record<string, string | string[]> = {},
): Promise<Client> {
  const { status, body } = await askForToken(client, account, form);
  if (status !== 200) throw new Error(`no access token: ${JSON.stringify(body)}`);
  return client.withToken(body.access_token);
}
