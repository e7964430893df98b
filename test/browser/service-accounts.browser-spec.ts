import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { remember } from '../canary.js';
import { choose, describePanel, settled } from './browser.js';
import { keptBy } from './kept.js';

describePanel('service accounts', (panel) => {
  const listed = (page: Page, name: string) =>
    page.getByRole('table').getByRole('link', { name, exact: true });
  const list = () => `${panel.acme.page}/service-accounts`;
  const whoIs = (token: string) =>
    fetch(`${panel.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });

  it('shows the token of a new account once, keeps it nowhere, and revokes it', async () => {
    const page = await panel.openAs(panel.ada, list());
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await createAccount(page, 'Salesforce user sync');
    const dialog = page.getByRole('dialog', { name: 'Copy the API token now' });
    await dialog.waitFor();

    await dialog.getByRole('button', { name: 'Reveal' }).click();
    const token = await dialog.getByText(/^clv_\w+$/).innerText();
    expect(token.length).toBeGreaterThan(60);
    remember(token);
    expect((await whoIs(token)).status).toBe(200);
    expect(await keptBy(page)).toContain(token); // The search does see what is there.
    await dialog.getByRole('button', { name: 'Hide' }).click();
    await dialog.getByRole('button', { name: 'Reveal' }).waitFor();
    expect(await keptBy(page)).not.toContain(token);

    await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
    await dialog.getByText('The token is on the clipboard.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(token);
    expect(await downloadedFrom(page)).toContain(`CLAVIGER_TOKEN=${token}\n`);

    await page.keyboard.press('Escape');
    const question = page.getByRole('alertdialog', { name: 'Leave without the token?' });
    await question.getByRole('button', { name: 'Stay' }).click();
    await question.waitFor({ state: 'hidden' });
    await dialog.getByRole('button', { name: 'Got it' }).click();
    await dialog.waitFor({ state: 'hidden' });

    await expectNowhere(page, token);
    await choose(page, 'Actions for Salesforce user sync', 'Manage keys');
    await page.getByRole('heading', { name: 'Keys of Salesforce user sync' }).waitFor();
    const keyName = await page
      .getByRole('button', { name: /^Actions for key / })
      .getAttribute('aria-label');
    await choose(page, keyName ?? '', 'Revoke');
    const confirm = page.getByRole('alertdialog', { name: /^Revoke / });
    await confirm.getByRole('button', { name: 'Revoke' }).click();
    await confirm.waitFor({ state: 'hidden' });
    expect((await whoIs(token)).status).toBe(401);
  });

  it('asks before a page with an unread token is left, and leaves when told to', async () => {
    const page = await panel.openAs(panel.ada, list());
    await createAccount(page, 'Left in a hurry');
    const dialog = page.getByRole('dialog', { name: 'Copy the API token now' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    const question = page.getByRole('alertdialog', { name: 'Leave without the token?' });
    await question.getByRole('button', { name: 'Leave' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await listed(page, 'Left in a hurry').waitFor();
  });

  it('says at the field what is wrong with it', async () => {
    await panel.anAccount('Taken already');
    const page = await panel.openAs(panel.ada, list());
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByRole('button', { name: 'Submit' }).click();
    expect(await form.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await form.waitFor({ state: 'hidden' });
  });

  it('disables, enables and, once the name was typed, deletes', async () => {
    const { token, name } = await panel.anAccount('Nightly export');
    const page = await panel.openAs(panel.ada, list());
    for (const [action, status] of [
      ['Disable', 401],
      ['Enable', 200],
    ] as const) {
      await choose(page, `Actions for ${name}`, action);
      const question = page.getByRole('alertdialog', { name: `${action} ${name}?` });
      await question.getByRole('button', { name: action }).click();
      await question.waitFor({ state: 'hidden' });
      expect((await whoIs(token)).status).toBe(status);
    }
    await choose(page, `Actions for ${name}`, 'Delete');
    const question = page.getByRole('alertdialog', { name: `Delete ${name}?` });
    const confirm = question.getByRole('button', { name: 'Delete' });
    expect(await confirm.isDisabled()).toBe(true);
    await question.getByRole('textbox').fill('nightly');
    expect(await confirm.isDisabled()).toBe(true);
    await question.getByRole('textbox').fill(name);
    await confirm.click();
    await question.waitFor({ state: 'hidden' });
    await listed(page, name).waitFor({ state: 'detached' });
    expect((await whoIs(token)).status).toBe(401);
  });

  /** By keyboard alone, as far as the form goes. */
  async function createAccount(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: 'Create service account' }).first().press('Enter');
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByLabel('Name').fill(name);
    await form.getByRole('button', { name: 'Submit' }).press('Enter');
  }

  async function downloadedFrom(page: Page): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as .env' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.env$/);
    return readFileSync(await download.path(), 'utf8');
  }

  /** Here, and wherever Back, Forward, a reload or another document leads. */
  async function expectNowhere(page: Page, token: string): Promise<void> {
    const secret = token.slice(token.lastIndexOf('_') + 1);
    const search = async (where: string) => {
      await settled(page);
      const kept = await keptBy(page);
      expect(`${where}: ${kept.includes(token) || kept.includes(secret)}`).toBe(`${where}: false`);
    };
    await search('after the dialog');
    await listed(page, 'Salesforce user sync').click();
    await page.getByRole('heading', { name: 'Salesforce user sync' }).waitFor();
    await search('on another page');
    await page.goBack();
    await listed(page, 'Salesforce user sync').waitFor();
    await search('after Back');
    await page.goForward();
    await page.getByRole('heading', { name: 'Salesforce user sync' }).waitFor();
    await search('after Forward');
    await page.goto('/docs');
    await page.goBack();
    await page.getByRole('heading', { name: 'Salesforce user sync' }).waitFor();
    await search('after Back from another document');
    await page.goto(list());
    await listed(page, 'Salesforce user sync').waitFor();
    await page.reload();
    await search('after a reload');
  }
});
