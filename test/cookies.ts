import { expect } from '@jest/globals';
import { type TestPerson, PASSWORD } from './factories.js';
import { type Answer, eventsOf, type TestServer } from './harness.js';
import { from } from './strangers.js';

export type Headers = Record<string, string>;

/** What a browser adds to requests of a page of the server itself. */
export const HERE = { 'sec-fetch-site': 'same-origin' };
export const FOREIGN = 'https://evil.example';

/** As a browser would send back what the answer has set. */
export const jarOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';

/** What a browser asks of the server, and whose it is unless another person is named. Both are known only when tests run. */
export function browserOf(server: () => TestServer, person: () => TestPerson) {
  /** From another address each time, because so many refusals of a single one are a flood. */
  const ask = (method: string, path: string, headers: Headers, body?: unknown) =>
    server().client.request(method, path, body, {
      ...from(),
      ...headers,
    });
  const login = (headers: Headers = HERE, changes: object = { cookie: true }, who = person()) =>
    ask('POST', '/v1/sessions', headers, { email: who.email, password: PASSWORD, ...changes });
  const cookieOf = async (who = person()) => jarOf(await login(HERE, { cookie: true }, who));
  const me = (headers: Headers) => ask('GET', '/v1/me', headers);
  /** The one event of the answer's request. */
  const eventOf = async (answer: Answer) => {
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server(), { requestId, action: 'http.request' });
    expect(events).toHaveLength(1);
    return events[0]!;
  };
  return { ask, login, cookieOf, me, eventOf };
}
