import { rememberCookies, rememberTokens } from './canary.js';

/** An answer with its JSON already parsed (undefined when there is no body). */
export interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

/** Speaks JSON with one server, as one caller. */
export class Client {
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  withToken(token?: string): Client {
    return new Client(this.url, token);
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('POST', path, body, headers);
  }

  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('PATCH', path, body, headers);
  }

  delete(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('DELETE', path, undefined, headers);
  }

  /** A string body is sent as it is. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    const parsed = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    rememberTokens(parsed);
    rememberCookies(response.headers);
    return { status: response.status, headers: response.headers, body: parsed };
  }
}
