import { beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Account, choose, confirm, describePanel, expectRows, pick } from './browser.js';

const HOUR_MS = 3_600_000;

describePanel(
  'keys',
  (panel) => {
    let account: Account;
    let count = 0;
    beforeEach(async () => {
      account = await panel.anAccount(`Integration ${(count += 1)}`);
    });
    const open = () =>
      panel.openAs(panel.ada, `${panel.acme.page}/service-accounts/${account.id}/keys`);
    const path = () => `${panel.acme.path}/service-accounts/${account.id}/keys`;
    const find = async (name: string) => {
      const { body } = await panel.ada.client.get(path());
      return body.data.find((key: { name: string }) => key.name === name);
    };
    const gotIt = async (page: Page) => {
      await page.getByRole('dialog', { name: 'Copy the API token now' }).waitFor();
      await page.getByRole('button', { name: 'Got it' }).click();
    };

    it('are managed from the menu of their account', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts`);
      await choose(page, `Actions for ${account.name}`, 'Manage keys');
      await page.getByRole('heading', { name: `Keys of ${account.name}` }).waitFor();
      await expectRows(page, `Keys of ${account.name}`, ['Default']);
      await page.getByRole('link', { name: `Back to ${account.name}` }).click();
      await page.getByRole('heading', { name: account.name }).waitFor();
    });

    it('are made for some permissions and networks, for a while', async () => {
      const page = await open();
      await page.getByRole('button', { name: 'Create key' }).click();
      const form = page.getByRole('dialog', { name: 'Create key' });
      await form.getByLabel('Name').fill('Berlin');
      await pick(form, 'Key expires', 'Never');
      await form.getByRole('checkbox', { name: /^Only some of/ }).click();
      await form.getByRole('checkbox', { name: 'users:read' }).click();
      await form.getByLabel('Allowed networks').fill('203.0.113.0/33');
      await form.getByRole('button', { name: 'Create key' }).click();
      await form.getByRole('alert').or(form.locator('[aria-invalid=true]')).first().waitFor();
      await form.getByLabel('Allowed networks').fill('203.0.113.0/24\n198.51.100.7/32');
      await form.getByRole('button', { name: 'Create key' }).click();
      await gotIt(page);
      await expectRows(page, `Keys of ${account.name}`, ['Berlin', 'Default']);
      expect(await find('Berlin')).toMatchObject({
        expiresAt: null,
        permissions: ['users:read'],
        allowedCidrs: ['203.0.113.0/24', '198.51.100.7/32'],
      });
    });

    it('are rotated: the old one works on for the overlap, and how much it is used is shown', async () => {
      const client = panel.server.client.withToken(account.token);
      for (let times = 0; times < 3; times += 1) await client.get('/v1/me');
      const page = await open();
      await choose(page, 'Actions for key Default', 'Rotate');
      const dialog = page.getByRole('dialog', { name: 'Rotate Default' });
      await dialog.getByText(/^3 requests in 7 days/).waitFor();
      await pick(dialog, 'The old key works on for', '1 hour');
      await dialog.getByRole('button', { name: 'Rotate' }).click();
      await gotIt(page);
      await page.getByRole('row', { name: /^Default .* Expiring / }).waitFor();
      const { body } = await panel.ada.client.get(`${path()}?status=expiring`);
      const left = Date.parse(body.data[0].expiresAt) - Date.now();
      expect(left / HOUR_MS).toBeCloseTo(1, 1);
      expect((await client.get('/v1/me')).status).toBe(200);
      await pick(page, 'Status', 'Expiring');
      await expectRows(page, `Keys of ${account.name}`, ['Default']);
    });

    it('are rotated without an overlap: the old one is refused at once', async () => {
      const page = await open();
      await choose(page, 'Actions for key Default', 'Rotate');
      const dialog = page.getByRole('dialog', { name: 'Rotate Default' });
      await dialog.getByText('It has never been used').waitFor();
      await pick(dialog, 'The old key works on for', 'Not at all');
      await dialog.getByRole('button', { name: 'Rotate' }).click();
      await gotIt(page);
      expect((await panel.server.client.withToken(account.token).get('/v1/me')).status).toBe(401);
    });

    it('are renamed and narrowed, with the token they have', async () => {
      const page = await open();
      await choose(page, 'Actions for key Default', 'Edit');
      const form = page.getByRole('dialog', { name: 'Edit key Default' });
      await form.getByLabel('Name').fill('Nightly');
      await form.getByLabel('Allowed networks').fill('203.0.113.0/24');
      await form.getByRole('button', { name: 'Save' }).click();
      await expectRows(page, `Keys of ${account.name}`, ['Nightly']);
      expect((await find('Nightly')).allowedCidrs).toEqual(['203.0.113.0/24']);
      expect((await panel.server.client.withToken(account.token).get('/v1/me')).status).toBe(403);
    });

    it('that are all revoked leave a page that says so', async () => {
      const page = await open();
      await choose(page, 'Actions for key Default', 'Revoke');
      await confirm(page, 'Revoke Default?', 'Revoke');
      await pick(page, 'Status', 'Active');
      await page.getByRole('heading', { name: 'No keys here' }).waitFor();
    });
  },
  { refusals: [/^400 POST \/v1\/organizations\/\w+\/service-accounts\/\w+\/keys$/] },
);
