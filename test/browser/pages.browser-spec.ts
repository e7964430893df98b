import { beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Account, choose, describePanel, settled } from './browser.js';
import { expectAccessible, shoot } from './looks.js';

const SOURCE = readFileSync(join(import.meta.dirname, '../../web/src/routes.tsx'), 'utf8');
/** For those who are not logged in. */
const OUTSIDE = ['/login', '/setup', '/invitation', '/password-reset'];
const IN_ORGANIZATION = '/organizations/:organizationId';

/** Every address that the panel's router knows: pages of an organization stand there without its part. */
const ROUTES = [...SOURCE.matchAll(/\bpath: '([^']+)'/g)]
  .map(([, path = '']) => path)
  .map((path) => (/^[/*]/.test(path) ? path : `${IN_ORGANIZATION}/${path}`));

describePanel('pages', (panel) => {
  let account: Account;
  let parameters: Record<string, string>;

  beforeAll(async () => {
    account = await panel.anAccount('Payroll import');
    await panel.anAccount('Salesforce user sync', panel.acme, 'owner');
    const vera = await panel.aPerson('Vera Viewer', panel.acme, 'viewer');
    const { body } = await vera.client.get('/v1/me');
    parameters = {
      organizationId: panel.acme.id,
      serviceAccountId: account.id,
      userId: body.id,
      roleKey: 'viewer',
    };
  });

  it('finds the routes', () => {
    expect(ROUTES).toEqual(
      expect.arrayContaining(['/login', '/', `${IN_ORGANIZATION}/service-accounts`]),
    );
  });

  for (const route of ROUTES) {
    it(`${route} is accessible, in both themes, and fits a narrow screen`, async () => {
      const path = addressOf(route);
      const page = OUTSIDE.includes(route)
        ? await panel.open(path)
        : await panel.openAs(panel.ada, path);
      await look(page, route);
    });
  }

  it('dialogs of service accounts are, too', async () => {
    const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts`);
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByLabel('Name').fill('Warehouse');
    await look(page, 'create service account');
    await form.getByRole('button', { name: 'Submit' }).click();
    const token = page.getByRole('dialog', { name: 'Copy the API token now' });
    await token.waitFor();
    await look(page, 'token');
    await token.getByRole('button', { name: 'Got it' }).click();
    for (const action of ['Edit', 'Disable', 'Delete']) {
      await choose(page, 'Actions for Warehouse', action);
      const dialog = page.getByRole(action === 'Edit' ? 'dialog' : 'alertdialog');
      await look(page, `${action} service account`);
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
    }
  });

  it('dialogs of keys are, too', async () => {
    const page = await panel.openAs(
      panel.ada,
      `${panel.acme.page}/service-accounts/${account.id}/keys`,
    );
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByRole('dialog').waitFor();
    await look(page, 'create key');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    for (const action of ['Rotate', 'Edit', 'Revoke']) {
      await choose(page, 'Actions for key Default', action);
      const dialog = page.getByRole(action === 'Revoke' ? 'alertdialog' : 'dialog');
      await look(page, `${action} key`);
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
    }
  });

  function addressOf(route: string): string {
    return route
      .replace(/^\*$/, '/organizations/nowhere/to/be/found')
      .replace(/\/:\w+\?/, '')
      .replace(/:(\w+)/g, (_, name: string) => {
        const value = parameters[name];
        if (value === undefined) throw new Error(`${route}: this spec has nothing for :${name}`);
        return value;
      });
  }

  async function look(page: Page, name: string): Promise<void> {
    await settled(page);
    await shoot(page, name.toLowerCase().replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'home');
    await expectAccessible(page);
  }
});
