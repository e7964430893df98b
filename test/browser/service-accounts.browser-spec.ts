import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.js';
import {
  choose,
  confirm,
  describePanel,
  expectRows,
  type Organization,
  type Person,
  pick,
} from './browser.js';

const DAY_MS = 86_400_000;

describePanel('service accounts', (panel) => {
  let otto: Person;
  beforeAll(async () => {
    otto = await panel.aPerson('Otto Owner', panel.acme, 'admin');
  });
  const list = (organization: Organization = panel.acme) => `${organization.page}/service-accounts`;
  const show = (page: Page, names: string[]) => expectRows(page, 'Service accounts', names);
  const whoIs = (token: string) =>
    fetch(`${panel.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  /** An account as the API tells it. */
  const find = async (name: string) => {
    const path = `${panel.acme.path}/service-accounts?search=${encodeURIComponent(name)}`;
    return (await panel.ada.client.get(path)).body.data[0];
  };

  it('says what service accounts are where there is none', async () => {
    const empty = await panel.anOrganization('Empty');
    const page = await panel.openAs(panel.ada, list(empty));
    await page.getByRole('heading', { name: 'No service accounts yet' }).waitFor();
    await page.getByText('a technical user that never logs in').waitFor();
    expect(await page.getByRole('button', { name: 'Create service account' }).count()).toBe(2);
  });

  it('searches, filters and sorts, and keeps that in the address', async () => {
    const globex = await panel.anOrganization('Globex');
    const used = await panel.anAccount('Alpha sync', globex);
    await panel.anAccount('Beta sync', globex, 'admin');
    const { id } = await panel.anAccount('Gamma export', globex);
    const disabled = `${globex.path}/service-accounts/${id}/disable`;
    expect((await panel.ada.client.post(disabled)).status).toBe(200);
    await whoIs(used.token);
    const page = await panel.openAs(panel.ada, list(globex));
    await show(page, ['Alpha sync', 'Beta sync', 'Gamma export']);
    await page.getByRole('button', { name: 'Name' }).click();
    await show(page, ['Gamma export', 'Beta sync', 'Alpha sync']);
    await page.getByRole('button', { name: 'Last used' }).click();
    await page
      .getByRole('columnheader', { name: 'Last used' })
      .and(page.locator('[aria-sort=ascending]'))
      .waitFor();
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('sync');
    await page.waitForURL(/search=sync/);
    await pick(page, 'Role', 'Admin');
    await show(page, ['Beta sync']);
    await page.reload();
    await show(page, ['Beta sync']);
    expect(await page.getByRole('searchbox').inputValue()).toBe('sync');
    await pick(page, 'Status', 'Disabled');
    await page.getByRole('heading', { name: 'No service account matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await pick(page, 'Status', 'Disabled');
    await show(page, ['Gamma export']);
    expect(new URL(page.url()).search).toBe('?sort=lastUsedAt&status=disabled');
  });

  it('goes from page to page and back', async () => {
    const initech = await panel.anOrganization('Initech');
    const names = Array.from({ length: 52 }, (_, index) => `Job ${String(index).padStart(2, '0')}`);
    const path = `${initech.path}/service-accounts`;
    await Promise.all(names.map((name) => panel.ada.client.post(path, { name, role: 'viewer' })));
    const page = await panel.openAs(panel.ada, list(initech));
    await show(page, names.slice(0, 50));
    expect(await page.getByRole('button', { name: 'Previous' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Next' }).click();
    await show(page, names.slice(50));
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Previous' }).click();
    await show(page, names.slice(0, 50));
  });

  it('creates one with role, owner, description and expiry, and advises about its name', async () => {
    await panel.anAccount('Payroll import');
    const page = await panel.openAs(panel.ada, list());
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByLabel('Name').fill('test');
    await form.getByText('Say what it connects, and what for').waitFor();
    await form.getByLabel('Name').fill('payroll import');
    await form.getByText('There is a service account with this name already.').waitFor();
    await form.getByLabel('Name').fill('Salesforce → user sync');
    await form.getByText('Every request is on the audit trail under it.').waitFor();
    await pick(form, 'Role', 'Auditor');
    await form.getByRole('combobox', { name: 'Owner' }).fill('otto');
    await page.getByRole('option', { name: otto.name }).click();
    await form.getByLabel('Description').fill('Nightly, from the CRM.');
    await pick(form, 'Key expires', 'In 30 days');
    await form.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('dialog', { name: 'Copy the API token now' }).waitFor();
    await page.getByRole('button', { name: 'Got it' }).click();
    const account = await find('Salesforce');
    expect(account).toMatchObject({
      role: { key: 'auditor' },
      owner: { name: otto.name },
      description: 'Nightly, from the CRM.',
    });
    const { body } = await panel.ada.client.get(
      `${panel.acme.path}/service-accounts/${account.id}/keys`,
    );
    const days = (Date.parse(body.data[0].expiresAt) - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBe(30);
  });

  it('creates nothing when cancelled, and says at the field what is wrong with it', async () => {
    const page = await panel.openAs(panel.ada, list());
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByRole('button', { name: 'Submit' }).click();
    expect(await form.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await form.getByLabel('Name').fill('Never made');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await form.waitFor({ state: 'hidden' });
    expect(await find('Never made')).toBeUndefined();
  });

  it('edits what is said about one', async () => {
    const { name } = await panel.anAccount('Ledger export');
    const page = await panel.openAs(panel.ada, list());
    await choose(page, `Actions for ${name}`, 'Edit');
    const form = page.getByRole('dialog', { name: `Edit ${name}` });
    await form.getByLabel('Name').fill('Ledger → archive');
    await form.getByLabel('Purpose').fill('The books of the year.');
    await form.getByLabel('Systems').fill('SAP, S3');
    await pick(form, 'Role', 'Auditor');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved Ledger → archive').waitFor();
    await page.getByRole('table').getByRole('link', { name: 'Ledger → archive' }).waitFor();
    expect(await find('Ledger')).toMatchObject({
      role: { key: 'auditor' },
      purpose: 'The books of the year.',
      systems: ['SAP', 'S3'],
    });
  });

  it('disables, enables and, once the name was typed, deletes', async () => {
    const { token, name } = await panel.anAccount('Nightly export');
    const page = await panel.openAs(panel.ada, list());
    for (const [action, status] of [
      ['Disable', 401],
      ['Enable', 200],
    ] as const) {
      await choose(page, `Actions for ${name}`, action);
      await confirm(page, `${action} ${name}?`, action);
      expect((await whoIs(token)).status).toBe(status);
    }
    await eventually(async () => (await find(name)).lastUsedAt ?? undefined);
    await page.reload(); // The list is from before that use.
    await choose(page, `Actions for ${name}`, 'Delete');
    const question = page.getByRole('alertdialog', { name: `Delete ${name}?` });
    await question.getByText('It was last used just now').waitFor();
    await question.getByText('From 127.0.0.1, with the key Default').waitFor();
    const remove = question.getByRole('button', { name: 'Delete' });
    expect(await remove.isDisabled()).toBe(true);
    await question.getByRole('textbox').fill('nightly');
    expect(await remove.isDisabled()).toBe(true);
    await question.getByRole('textbox').fill(name);
    await confirm(page, `Delete ${name}?`, 'Delete');
    await page.getByRole('table').getByRole('link', { name }).waitFor({ state: 'detached' });
    expect((await whoIs(token)).status).toBe(401);
  });

  it('has a page of its own: about it, its requests, and how many there were', async () => {
    const { id, name, token } = await panel.anAccount('Chart reader');
    await whoIs(token);
    await fetch(`${panel.url}${panel.acme.path}/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const page = await panel.openAs(panel.ada, `${list()}/${id}`);
    await page.getByRole('heading', { name }).waitFor();
    await page.getByRole('img', { name: /^Requests a day: 1 answered and 1 denied/ }).waitFor();
    await expectRows(page, 'Recent requests', [
      'POST /v1/organizations/{organizationId}/users',
      'GET /v1/me',
    ]);
    await page.getByRole('link', { name: 'All on the audit trail' }).click();
    await page.getByRole('heading', { name: 'Audit trail' }).waitFor();
    expect(page.url()).toContain(`actor=${id}`);
  });
});
