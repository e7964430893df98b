import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import type { Client } from '../client.js';
import { killLeftovers, type ServerProcess, startProcess } from '../process.js';
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
];

/** Who can log in. */
export interface Person {
  email: string;
  name: string;
  password: string;
  client: Client;
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

const PASSWORD = 'correct horse battery staple';

/** The panel of a built server of its own, and a browser to look at it. Fixtures are made through the API. */
export class Panel {
  url: string;
  /** Administrator of the instance and owner of `acme`. */
  ada: Person;
  acme: Organization;
  faults: Faults;
  private server: ServerProcess;
  private browser: Browser;
  private directory: string;
  private readonly contexts: BrowserContext[] = [];

  constructor(private readonly refusals: readonly RegExp[]) {}

  /** A page of a browser in which nobody is logged in. */
  async open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ baseURL: this.url, ...options });
    this.contexts.push(context);
    context.setDefaultTimeout(15_000);
    await this.faults.watch(context);
    const page = await context.newPage();
    await page.goto(path);
    return page;
  }

  /** A page on which somebody has logged in, by the form, on the way to `path`. */
  async openAs(person: Person, path = '/', options?: BrowserContextOptions): Promise<Page> {
    const page = await this.open(`/login?next=${encodeURIComponent(path)}`, options);
    await logIn(page, person);
    await page
      .getByRole('button', { name: `Account of ${person.name}` })
      .filter({ visible: true })
      .waitFor();
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

  /** @internal For {@link describePanel}. */
  async start(): Promise<void> {
    this.directory = mkdtempSync(join(tmpdir(), 'claviger-browser-'));
    const email = 'ada@example.com';
    this.server = await startProcess({
      DATA_DIR: this.directory,
      ADMIN_EMAIL: email,
      ADMIN_PASSWORD: PASSWORD,
      ORGANIZATION_NAME: 'Acme',
      LOG_LEVEL: 'warn',
    });
    this.url = this.server.url;
    this.faults = new Faults(this.url, this.refusals);
    const { body } = await this.server.client.post('/v1/sessions', { email, password: PASSWORD });
    const client = this.server.client.withToken(body.token);
    this.ada = { email, name: body.user.name, password: PASSWORD, client };
    this.acme = organizationOf(body.organizations[0]);
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ARGUMENTS,
    });
  }

  /** @internal For {@link describePanel}. */
  async stop(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
    await this.browser?.close();
    await this.server?.stop();
    killLeftovers();
    if (this.directory) rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * A `describe` with a panel of its own, skipped where there is no browser. It fails at the end when any page did what none may
 * do: see {@link Faults}, also for `refusals`.
 */
export function describePanel(
  title: string,
  tests: (panel: Panel) => void,
  { refusals = [] }: { refusals?: readonly RegExp[] } = {},
): void {
  (process.env.CHROMIUM ? describe : describe.skip)(title, () => {
    const panel = new Panel(refusals);
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
}

/** Waits until a page shows what it has to show. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor();
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}

function organizationOf({ id, name }: { id: string; name: string }): Organization {
  return { id, name, path: `/v1/organizations/${id}`, page: `/organizations/${id}` };
}
