import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Account, describePanel, downloadedBy, pick } from './browser.js';

const DAY_MS = 86_400_000;

describePanel('audit trail', (panel) => {
  let account: Account;
  beforeAll(async () => {
    account = await panel.anAccount('Payroll import');
    await callAs(account);
  });
  const callAs = ({ token }: Account) => panel.server.client.withToken(token).get('/v1/me');
  const open = (rest = '') => panel.openAs(panel.ada, `${panel.acme.page}/audit${rest}`);
  const rows = (page: Page) =>
    page
      .getByRole('table', { name: 'Events' })
      .getByRole('row')
      .filter({ has: page.getByRole('cell') });
  /** Waits until all rows, at least one, have this in them. */
  const expectAll = async (page: Page, text: string) => {
    await rows(page).filter({ hasText: text }).first().waitFor();
    await rows(page).filter({ hasNotText: text }).first().waitFor({ state: 'detached' });
  };
  const query = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);

  it('is filtered by what the address says, and a reload or a link shows the same', async () => {
    const page = await open();
    await pick(page, 'Action', 'Service account created');
    await expectAll(page, 'Service account created: Payroll import');
    await pick(page, 'Outcome', 'Success');
    await page.waitForURL(/outcome=success/);
    await page.getByLabel('From').fill('2020-01-01T00:00');
    await page.waitForURL(/from=2020-01-01T/);
    const filters = query(page);
    expect(filters).toEqual({
      action: 'service_account.created',
      outcome: 'success',
      from: new Date('2020-01-01T00:00').toISOString(),
    });
    await page.reload();
    await expectAll(page, 'Service account created: Payroll import');
    expect(await page.getByLabel('From').inputValue()).toBe('2020-01-01T00:00');
    const to = new Date(Date.now() - DAY_MS).toISOString();
    await page.goto(`${page.url()}&to=${to}`);
    await page.getByRole('heading', { name: 'No events' }).waitFor();
    await page.getByRole('button', { name: 'Clear all filters' }).last().click();
    await rows(page).first().waitFor();
    expect(query(page)).toEqual({});
  });

  it('shows only one account, one request, or what an id names', async () => {
    const page = await open('?action=http.request&outcome=success');
    const called = rows(page).filter({ hasText: account.name }).first();
    await called.getByRole('button', { name: /^Actions for event/ }).click();
    await page.getByRole('menuitem', { name: 'Only this account' }).click();
    await expectAll(page, account.name);
    expect(query(page)).toMatchObject({ actor: account.id });
    await page
      .getByRole('list', { name: 'Filters' })
      .getByText(`Done by: ${account.name}`)
      .waitFor();
    await page.getByRole('button', { name: 'Remove the filter Done by' }).click();
    await page.waitForURL((url) => !url.searchParams.has('actor'));
    await page.getByRole('button', { name: 'Clear all filters' }).click();

    await pick(page, 'Find by', 'Done to (id)');
    await page.getByRole('textbox', { name: 'Id' }).fill(account.id);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('link', { name: `Service account created: ${account.name}` }).waitFor();
    expect(query(page)).toEqual({ target: account.id });
  });

  it('tells everything of an event, at an address of its own', async () => {
    await panel.ada.client.patch(`${panel.acme.path}/service-accounts/${account.id}`, {
      description: 'Every night.',
    });
    const page = await open('?action=service_account.updated');
    await page.getByRole('link', { name: /^Service account updated/ }).click();
    const details = page.getByRole('dialog', { name: 'Service account updated' });
    await details.getByRole('row', { name: 'description nothing Every night.' }).waitFor();
    await details.getByText(account.id).waitFor();
    const address = page.url();
    expect(address).toMatch(/\/audit\/\w+\?action=service_account\.updated$/);
    await page.reload();
    await details.getByText('Place in the chain').waitFor();
    await details.getByRole('button', { name: 'Only this request' }).click();
    await page.waitForURL(/requestId=/);
    await details.waitFor({ state: 'hidden' });
    await page.goto(address);
    await details.getByRole('button', { name: 'Close' }).click();
    await details.waitFor({ state: 'hidden' });
    expect(query(page)).toEqual({ action: 'service_account.updated' });
  });

  it('shows live what happens', async () => {
    const page = await open(`?actor=${account.id}`);
    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByText('Watching. Nothing new so far.').waitFor();
    await callAs(account);
    await page.getByText('1 new event.').waitFor();
    const fresh = rows(page).first();
    await fresh.getByText('New', { exact: true }).waitFor();
    await fresh.getByText('/v1/me').waitFor();
    await page.getByRole('button', { name: 'Stop live' }).click();
    await page.getByText('1 new event.').waitFor({ state: 'detached' });
  });

  it('is downloaded as it is filtered', async () => {
    const page = await open('?action=service_account.created');
    await page.getByRole('button', { name: 'Export' }).click();
    const dialog = page.getByRole('dialog', { name: 'Export the trail' });
    const save = () =>
      downloadedBy(page, () => dialog.getByRole('button', { name: 'Download' }).click());
    const csv = await save();
    await dialog.getByText(/^1 event, /).waitFor();
    expect(csv.name).toMatch(/^audit-trail-acme-\d{4}-\d\d-\d\d\.csv$/);
    expect(csv.text.trim().split('\n')).toHaveLength(2);
    expect(csv.text).toContain(account.id);
    await pick(dialog, 'Format', 'NDJSON');
    const { text } = await save();
    expect(JSON.parse(text)).toMatchObject({
      action: 'service_account.created',
      targets: [{ id: account.id }],
    });
  });

  it('has the server’s own beside it, for its administrators', async () => {
    const page = await open();
    await pick(page, 'Trail of', 'Server');
    await pick(page, 'Action', 'Session created');
    await expectAll(page, 'Session created');
    const otto = await panel.aPerson('Otto Owner', panel.acme, 'owner');
    const his = await panel.openAs(otto, `${panel.acme.page}/audit?trail=server`);
    await rows(his).first().waitFor();
    expect(await his.getByRole('combobox', { name: 'Trail of' }).count()).toBe(0);
    expect(await rows(his).filter({ hasText: 'Session created' }).count()).toBe(0);
  });
});
