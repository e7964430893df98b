import type { BrowserContext, Page, Request } from 'playwright-core';

/** What the page tells of violations of its content security policy; the console is not the only witness. */
const LISTEN = `addEventListener('securitypolicyviolation', (event) =>
  reportViolation(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));`;

/** Chromium's own line about an answer of 4xx or 5xx: answers are judged by themselves. */
const REFUSED = /^Failed to load resource: the server responded with a status of \d/;

/**
 * Everything that no page may do, noted over a whole run: violations of the policy, requests to other origins, errors, and
 * answers that no spec has said it expects.
 */
export class Faults {
  /** Must be empty at the end. */
  readonly list: string[] = [];

  /** @param refusals answers that are expected, as `404 GET /v1/…`; who asks who they are may be nobody */
  constructor(
    private readonly origin: string,
    private readonly refusals: readonly RegExp[] = [],
  ) {}

  /** Watches all pages of a context; to be called before there is one. */
  async watch(context: BrowserContext): Promise<void> {
    const note = (kind: string, what: string) => this.list.push(`${kind}: ${what}`);
    await context.exposeBinding('reportViolation', (_source, what: string) => note('policy', what));
    await context.addInitScript(LISTEN);
    context.on('request', (request) => this.checkOrigin(request));
    context.on('page', (page: Page) =>
      page.on('websocket', (socket) => note('websocket', socket.url())),
    );
    context.on('weberror', (error) => note('page', error.error().stack ?? String(error.error())));
    context.on('console', (message) => {
      const text = message.text();
      const isBad = message.type() === 'error' || /content security policy/i.test(text);
      if (isBad && !REFUSED.test(text)) note('console', `${text} (${message.location().url})`);
    });
    context.on('response', (response) => {
      if (response.status() < 400) return;
      const { pathname } = new URL(response.url());
      const answer = `${response.status()} ${response.request().method()} ${pathname}`;
      if (answer === '401 GET /v1/me' || this.refusals.some((one) => one.test(answer))) return;
      note('answer', answer);
    });
  }

  private checkOrigin(request: Request): void {
    const url = new URL(request.url());
    // A download of what the page has made itself is `blob:` and has the page's origin.
    if (url.protocol === 'data:' || url.origin === this.origin) return;
    this.list.push(`origin: ${request.url()}`);
  }
}
