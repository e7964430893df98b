import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import type { Client } from '../client.js';
import { eventually } from '../eventually.js';
import { killLeftovers, type ServerProcess, startProcess } from '../process.js';
import { type MailServer, startMailServer } from '../smtp.js';
import { Faults } from './faults.js';

const ARGUMENTS = [
  '--no-sandbox',
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--js-flags=--heap-snapshot-string-limit=1000000', // So that nothing hides in a long text: see heapOf.
];

/** Who can log in. */
export interface Person {
  email: string;
  name: string;
  password: string;
  client: Client;
  /** The session of their browser, once there is one. */
  cookie?: Cookie;
}

interface Cookie {
  name: string;
  value: string;
}

/** An organization as the administrator sees it. */
export interface Organization {
  id: string;
  name: string;
  /** Of the API: `/v1/organizations/{id}` */
  path: string;
  /** Of the panel: `/organizations/{id}` */
  page: string;
}

/** A service account, its first key and that key's token. */
export interface Account {
  id: string;
  name: string;
  token: string;
}

/** What a panel may be made of besides the usual. */
export interface PanelOptions {
  /** Answers that are expected: see {@link Faults}. */
  refusals?: readonly RegExp[];
  /** A server that nobody has set up yet: no Ada, no Acme. */
  isNew?: boolean;
  /** With a server for its mails: `panel.mails`. */
  hasMail?: boolean;
}

/** The password of everybody. */
export const PASSWORD = 'correct horse battery staple';

/** The panel of a built server of its own, and a browser to look at it. Fixtures are made through the API. */
export class Panel {
  url: string;
  /** Administrator of the instance and owner of `acme`. */
  ada: Person;
  acme: Organization;
  faults: Faults;
  mails: MailServer;
  server: ServerProcess;
  private browser: Browser;
  private directory: string;
  private readonly contexts: BrowserContext[] = [];

  constructor(private readonly options: PanelOptions) {}

  /** A page of a browser in which nobody is logged in. */
  async open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.newContext(options);
    const page = await context.newPage();
    await page.goto(path);
    return page;
  }

  /** A page at `path` on which somebody is logged in, in one and the same session every time. */
  async openAs(person: Person, path = '/', options?: BrowserContextOptions): Promise<Page> {
    const context = await this.newContext(options);
    person.cookie ??= await this.cookieFor(person);
    const { name, value } = person.cookie;
    await context.addCookies([{ name, value, url: this.url, httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    await page.goto(path);
    // Who is logged in is there even where a dialog hides the rest of the page.
    await page.getByLabel(`Account of ${person.name}`).first().waitFor({ state: 'attached' });
    return page;
  }

  /** A further organization, whose owner is Ada. */
  async anOrganization(name: string): Promise<Organization> {
    const { status, body } = await this.ada.client.post('/v1/organizations', { name });
    expect(status).toBe(201);
    return organizationOf(body);
  }

  /** Somebody who has accepted an invitation. */
  async aPerson(name: string, organization: Organization, role: string): Promise<Person> {
    const email = `${name.toLowerCase().replace(/\W+/g, '.')}@example.com`;
    const invitation = await this.ada.client.post(`${organization.path}/invitations`, {
      email,
      name,
      role,
    });
    expect(invitation.status).toBe(201);
    const { status, body } = await this.server.client.post('/v1/invitations/accept', {
      token: invitation.body.token,
      password: PASSWORD,
      name,
    });
    expect(status).toBe(200);
    return { email, name, password: PASSWORD, client: this.server.client.withToken(body.token) };
  }

  /** A service account with a key named Default. */
  async anAccount(
    name: string,
    organization: Organization = this.acme,
    role = 'viewer',
  ): Promise<Account> {
    const { status, body } = await this.ada.client.post(`${organization.path}/service-accounts`, {
      name,
      role,
      key: { name: 'Default' },
    });
    expect(status).toBe(201);
    return { id: body.serviceAccount.id, name, token: body.key.token };
  }

  /** Another session of somebody, as a further device would have it. */
  async logInAgain({ email, password }: Person): Promise<Client> {
    const { status, body } = await this.server.client.post('/v1/sessions', { email, password });
    expect(status).toBe(201);
    return this.server.client.withToken(body.token);
  }

  /** Stops the server, lets something be done with its data, and starts it at the same address. */
  async restart(meanwhile: (dataDirectory: string) => Promise<void>): Promise<void> {
    await this.server.stop();
    await meanwhile(this.directory);
    this.server = await this.startServer({ PORT: new URL(this.url).port });
  }

  /** @internal For {@link describePanel}. */
  async start(): Promise<void> {
    this.directory = mkdtempSync(join(tmpdir(), 'claviger-browser-'));
    if (!this.options.isNew) {
      cpSync(process.env.PANEL_TEMPLATE_DIR!, this.directory, { recursive: true });
    }
    if (this.options.hasMail) this.mails = await startMailServer();
    const launched = chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ARGUMENTS,
      ignoreDefaultArgs: ['--disable-back-forward-cache'], // People's browsers have one.
    });
    [this.server, this.browser] = await Promise.all([this.startServer(), launched]);
    this.url = this.server.url;
    this.faults = new Faults(this.url, this.options.refusals);
    if (!this.options.isNew) await this.findAda();
  }

  /** @internal For {@link describePanel}. */
  async stop(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
    await this.browser?.close();
    await this.server?.stop();
    await this.mails?.close();
    killLeftovers();
    if (this.directory) rmSync(this.directory, { recursive: true, force: true });
  }

  private startServer(env: Record<string, string> = {}): Promise<ServerProcess> {
    return startProcess({
      DATA_DIR: this.directory,
      LOG_LEVEL: 'warn',
      ...(this.mails && { SMTP_URL: this.mails.url, MAIL_FROM: 'claviger@example.com' }),
      ...env,
    });
  }

  private async cookieFor({ email, password }: Person): Promise<Cookie> {
    const { headers } = await this.server.client.post(
      '/v1/sessions',
      { email, password, cookie: true },
      { origin: this.url },
    );
    const [, name, value] = /^(\w+)=([^;]+)/.exec(headers.getSetCookie()[0] ?? '') ?? [];
    if (!name || !value) throw new Error(`${email} was given no cookie`);
    return { name, value };
  }

  private async findAda(): Promise<void> {
    const email = 'ada@example.com';
    const { body } = await this.server.client.post('/v1/sessions', { email, password: PASSWORD });
    const client = this.server.client.withToken(body.token);
    this.ada = { email, name: body.user.name, password: PASSWORD, client };
    this.acme = organizationOf(body.organizations[0]);
  }

  private async newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext({ baseURL: this.url, ...options });
    this.contexts.push(context);
    context.setDefaultTimeout(15_000);
    await this.faults.watch(context);
    return context;
  }
}

/**
 * A `describe` with a panel of its own, skipped where there is no browser. It fails at the end when any page did what none may
 * do: see {@link Faults}.
 */
export function describePanel(
  title: string,
  tests: (panel: Panel) => void,
  options: PanelOptions = {},
): void {
  (process.env.CHROMIUM ? describe : describe.skip)(title, () => {
    const panel = new Panel(options);
    beforeAll(() => panel.start());
    afterAll(async () => {
      await panel.stop();
      expect(panel.faults?.list).toEqual([]);
    });
    tests(panel);
  });
}

/** Fills in the login and sends it; does not wait for what comes of it. */
export async function logIn(
  page: Page,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<void> {
  await page.getByLabel('E-mail', { exact: true }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Opens the menu of that name and takes one of its entries. */
export async function choose(page: Page, menu: string, entry: string): Promise<void> {
  await page.getByRole('button', { name: menu, exact: true }).filter({ visible: true }).click();
  await page.getByRole('menuitem', { name: entry, exact: true }).click();
  await page.getByRole('menu').first().waitFor({ state: 'hidden' });
}

/** Opens the box of choices of that name and takes one. */
export async function pick(scope: Page | Locator, name: string, choice: string): Promise<void> {
  const page = 'page' in scope ? scope.page() : scope;
  await scope.getByRole('combobox', { name }).click();
  await page.getByRole('option', { name: choice }).click();
  await page.getByRole('option').first().waitFor({ state: 'hidden' });
}

/** Confirms the question with that title, and waits until it is gone. */
export async function confirm(page: Page, title: string | RegExp, button: string): Promise<void> {
  const question = page.getByRole('alertdialog', { name: title });
  await question.getByRole('button', { name: button, exact: true }).click();
  await question.waitFor({ state: 'hidden' });
}

/** The file that something lets the browser save. */
export async function downloadedBy(
  page: Page,
  act: () => Promise<void>,
): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return {
    name: download.suggestedFilename(),
    text: readFileSync(await download.path(), 'utf8'),
  };
}

/** Waits until the rows of a table begin with these texts, in this order; fails with those that are there. */
export async function expectRows(page: Page, table: string, expected: string[]): Promise<void> {
  const rows = page.getByRole('table', { name: table }).getByRole('row');
  let found: string[] = [];
  await eventually(async () => {
    const texts = await rows.filter({ has: page.getByRole('cell') }).allInnerTexts();
    found = texts.map((text) => text.trim().split(/\s*[\t\n]/)[0] ?? '');
    return found.join('\n') === expected.join('\n') || undefined;
  }).catch(() => expect(found).toEqual(expected));
}

/** Waits until a page shows what it has to show. What a dialog covers may wait for its answer. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor();
  const busy = page.locator('[aria-busy=true]:not([aria-hidden=true] *)');
  await busy.first().waitFor({ state: 'detached' });
}

function organizationOf({ id, name }: { id: string; name: string }): Organization {
  return { id, name, path: `/v1/organizations/${id}`, page: `/organizations/${id}` };
}
