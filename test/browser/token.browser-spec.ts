import { beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { remember } from '../canary.js';
import { type Account, choose, describePanel, settled } from './browser.js';
import { heapOf, keptBy } from './kept.js';

const TITLE = 'Copy the API token now';

describePanel('the token of a key', (panel) => {
  let account: Account;
  beforeAll(async () => {
    account = await panel.anAccount('Salesforce user sync');
  });
  const list = () => `${panel.acme.page}/service-accounts`;
  const keys = () => `${list()}/${account.id}/keys`;
  const whoIs = (token: string) =>
    fetch(`${panel.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });

  it('is shown once, masked, and can be copied and downloaded until it is wiped', async () => {
    const page = await panel.openAs(panel.ada, list());
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const dialog = await createAccount(page, 'Warehouse import');
    expect(await dialog.getByLabel('API token').innerText()).toMatch(/^clv_•+$/);
    await dialog.getByText('It will not be shown again', { exact: true }).waitFor();

    const token = await reveal(dialog);
    expect((await whoIs(token)).status).toBe(200);
    expect((await keptBy(page)).includes(token)).toBe(true); // The search does see what is there.
    await dialog.getByRole('button', { name: 'Hide' }).click();
    await dialog.getByRole('button', { name: 'Reveal' }).waitFor();
    expect((await keptBy(page)).includes(token)).toBe(false);

    await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
    await dialog.getByText('The token is on the clipboard.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(token);
    const file = await downloadedFrom(page);
    expect(file).toBe(`CLAVIGER_URL=${panel.url}\nCLAVIGER_TOKEN=${token}\n`);

    expect(isIn(await heapOf(page), token)).toBe(true);
    await dialog.getByRole('button', { name: 'Got it' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(isIn(await heapOf(page), token)).toBe(false);
    await expectNowhere(page, token);
  });

  it('is shown for a key that is created or rotated, and then nowhere either', async () => {
    const page = await panel.openAs(panel.ada, keys());
    await page.getByRole('button', { name: 'Create key' }).click();
    const form = page.getByRole('dialog', { name: 'Create key' });
    await form.getByLabel('Name').fill('Berlin');
    await form.getByRole('button', { name: 'Create key' }).click();
    const created = await takeToken(page);
    await choose(page, 'Actions for key Berlin', 'Rotate');
    const rotation = page.getByRole('dialog', { name: 'Rotate Berlin' });
    await rotation.getByRole('button', { name: 'Rotate' }).click();
    const rotated = await takeToken(page);
    expect(rotated).not.toBe(created);
    const [heap, kept] = [await heapOf(page), await keptBy(page)];
    for (const token of [created, rotated]) {
      expect((await whoIs(token)).status).toBe(200); // They overlap.
      expect([isIn(heap, token), isIn(kept, token)]).toEqual([false, false]);
    }
  });

  it('is not left unread without a question: Escape, a link, Back', async () => {
    const page = await panel.openAs(panel.ada, list());
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Service accounts' }).click();
    const dialog = await createAccount(page, 'Left in a hurry');
    const question = page.getByRole('alertdialog', { name: 'Leave without the token?' });
    for (const leave of [() => page.keyboard.press('Escape'), () => page.goBack()]) {
      await leave();
      await question.getByRole('button', { name: 'Stay' }).click();
      await question.waitFor({ state: 'hidden' });
      expect(await dialog.isVisible()).toBe(true);
      expect(new URL(page.url()).pathname).toBe(list());
    }
    await page.goBack();
    await question.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
    expect(await dialog.count()).toBe(0);
  });

  it('is not on a page that was left with it, neither loaded anew nor kept for Back', async () => {
    const page = await panel.openAs(panel.ada, list());
    const asked: string[] = [];
    page.on('dialog', (question) => {
      asked.push(question.type());
      void question.accept();
    });
    await createAccount(page, 'Left by address');
    await leaveAndComeBack(page);
    expect(asked).toEqual(['beforeunload']);
    expect(await page.evaluate('isKept')).toBe(null); // The server does not let the browser keep it.

    // As behind a proxy that loses the header by which pages are not kept.
    await page.context().route('**', async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers['cache-control'];
      await route.fulfill({ response, headers });
    });
    await page.reload();
    await createAccount(page, 'Left once more');
    await leaveAndComeBack(page);
    expect(await page.evaluate('isKept')).toBe(true);
  });

  it('is refused from the moment on at which its key is revoked', async () => {
    expect((await whoIs(account.token)).status).toBe(200);
    const page = await panel.openAs(panel.ada, keys());
    await choose(page, 'Actions for key Default', 'Revoke');
    const confirm = page.getByRole('alertdialog', { name: 'Revoke Default?' });
    await confirm.getByText('It is still used').waitFor();
    await confirm.getByRole('button', { name: 'Revoke' }).click();
    await confirm.waitFor({ state: 'hidden' });
    expect((await whoIs(account.token)).status).toBe(401);
    await page.getByRole('row', { name: /^Default .* Revoked / }).waitFor();
  });

  /** By keyboard alone, as far as the form goes; answers the dialog with the token. */
  async function createAccount(page: Page, name: string): Promise<Locator> {
    await page.getByRole('button', { name: 'Create service account' }).first().press('Enter');
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByLabel('Name').fill(name);
    await form.getByRole('button', { name: 'Submit' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: TITLE });
    await dialog.waitFor();
    return dialog;
  }

  async function reveal(dialog: Locator): Promise<string> {
    await dialog.getByRole('button', { name: 'Reveal' }).click();
    const token = await dialog.getByText(/^clv_\w+$/).innerText();
    expect(token.length).toBeGreaterThan(60);
    remember(token);
    return token;
  }

  async function takeToken(page: Page): Promise<string> {
    const dialog = page.getByRole('dialog', { name: TITLE });
    const token = await reveal(dialog);
    await dialog.getByRole('button', { name: 'Got it' }).click();
    await dialog.waitFor({ state: 'hidden' });
    return token;
  }

  async function downloadedFrom(page: Page): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as .env' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('warehouse-import.env');
    return readFileSync(await download.path(), 'utf8');
  }

  /** To another document while the token can be read, and Back; `isKept` then says whether the page itself came back. */
  async function leaveAndComeBack(page: Page): Promise<void> {
    const dialog = page.getByRole('dialog', { name: TITLE });
    const token = await reveal(dialog);
    const note = `isKept = null; addEventListener('pageshow', ({ persisted }) => { isKept = persisted || null; })`;
    await page.context().addInitScript(note);
    await page.evaluate(note);
    await page.goto('/docs');
    await page.goBack({ waitUntil: 'commit' });
    await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
    expect(await dialog.count()).toBe(0);
    expect(isIn(await keptBy(page), token)).toBe(false);
  }

  /** Here, and wherever Back, Forward, a reload or another document leads. */
  async function expectNowhere(page: Page, token: string): Promise<void> {
    const name = 'Warehouse import';
    const heading = page.getByRole('heading', { name });
    const link = page.getByRole('table').getByRole('link', { name, exact: true });
    const search = async (where: string) => {
      await settled(page);
      expect(`${where}: ${isIn(await keptBy(page), token)}`).toBe(`${where}: false`);
    };
    await search('after the dialog');
    await link.click();
    await heading.waitFor();
    await search('on another page');
    await page.goBack();
    await link.waitFor();
    await search('after Back');
    await page.goForward();
    await heading.waitFor();
    await search('after Forward');
    await page.goto('/docs');
    await page.goBack();
    await heading.waitFor();
    await search('after Back from another document');
    await page.goto(list());
    await link.waitFor();
    await page.reload();
    await search('after a reload');
  }
});

/** Whether a text has the token, or the part of it that is secret. */
function isIn(text: string, token: string): boolean {
  return text.includes(token) || text.includes(token.slice(token.lastIndexOf('_') + 1));
}
