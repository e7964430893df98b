import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { choose, describePanel, type Person } from './browser.js';

// Answers that nobody expects make these tests fail: so does asking the server for what it must refuse.
describePanel('permissions', (panel) => {
  let auditor: Person;
  let verifier: Person;
  let viewer: Person;
  let integrator: Person;
  let admin: Person;

  beforeAll(async () => {
    await aRole('trail-reader', ['audit:read']);
    await aRole('account-reader', ['service-accounts:read']);
    await aRole('integrator', [
      'service-accounts:read',
      'service-accounts:manage',
      'keys:read',
      'keys:manage',
    ]);
    integrator = await panel.aPerson('Ines Integrator', panel.acme, 'integrator');
    admin = await panel.aPerson('Adam Admin', panel.acme, 'admin');
    auditor = await panel.aPerson('Tara Trail', panel.acme, 'trail-reader');
    verifier = await panel.aPerson('Veit Verifier', panel.acme, 'verifier');
    viewer = await panel.aPerson('Vera Viewer', panel.acme, 'viewer');
  });

  it('opens the first page that somebody may read, and shows the way to no other', async () => {
    const page = await panel.openAs(auditor);
    await page.getByRole('heading', { name: 'Audit trail' }).waitFor();
    await page.getByRole('row').nth(1).waitFor();
    expect(await navigation(page)).toEqual(['Audit trail']);
    await page.goto(panel.acme.page);
    await page.getByRole('heading', { name: 'Audit trail' }).waitFor();
  });

  it('says which permission a page needs, without asking the server', async () => {
    const page = await panel.openAs(viewer);
    await page.getByRole('heading', { name: 'Service accounts', level: 1 }).waitFor();
    expect(await navigation(page)).toEqual(['Service accounts', 'Users', 'Roles', 'Organization']);
    await page.goto(`${panel.acme.page}/audit`);
    await page.getByRole('heading', { name: 'You do not have access to this page' }).waitFor();
    const text = await page.getByRole('main').innerText();
    expect(text).toContain('audit:read');
    expect(text).toContain('An administrator of Acme can give you');
    await page.getByRole('link', { name: 'Go to your settings' }).click();
    await page.getByRole('heading', { name: 'Service accounts', level: 1 }).waitFor();
  });

  it('has a word for those to whom no page is open', async () => {
    const page = await panel.openAs(verifier);
    await page.getByRole('heading', { name: 'There is nothing here for you yet' }).waitFor();
    expect(await page.getByRole('main').innerText()).toContain('Verifier');
    expect(await page.getByRole('navigation', { name: 'Settings' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Go to your profile' }).click();
    await page.getByRole('heading', { name: 'Profile and sessions' }).waitFor();
  });

  it('lets those create accounts and keys who may see neither roles nor users', async () => {
    const page = await panel.openAs(integrator);
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByLabel('Name').fill('Warehouse');
    await form.getByRole('textbox', { name: 'Role' }).fill('account-reader');
    await form.getByRole('combobox', { name: 'Owner' }).click();
    expect(await page.getByRole('option').allInnerTexts()).toEqual([
      'Nobody',
      expect.stringContaining('Ines Integrator'),
    ]);
    await page.getByRole('option', { name: 'Nobody' }).click();
    await form.getByRole('button', { name: 'Submit' }).click();
    await dismissToken(page);

    await choose(page, 'Actions for Warehouse', 'Manage keys');
    await page.getByRole('button', { name: 'Create key' }).click();
    const panelOfKey = page.getByRole('dialog', { name: 'Create key' });
    await panelOfKey.getByLabel('Name').fill('Narrow');
    await panelOfKey.getByRole('checkbox', { name: 'Only some of the role' }).click();
    await panelOfKey.getByRole('checkbox', { name: 'service-accounts:read' }).click();
    await panelOfKey.getByRole('button', { name: 'Create key' }).click();
    await dismissToken(page);
    await page.getByRole('cell', { name: 'Narrow', exact: true }).waitFor();
  });

  it('offers no role, and no step, that would give more than somebody holds', async () => {
    const account = await panel.anAccount('Owned by the owner', panel.acme, 'owner');
    await panel.ada.client.post(`${panel.acme.path}/service-accounts/${account.id}/disable`);
    const page = await panel.openAs(admin);
    expect(await entriesOf(page, `Actions for ${account.name}`)).toEqual([
      'Manage keys',
      'Edit',
      'Delete',
    ]);
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByText('This role permits more than you hold').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

    await page.getByRole('button', { name: 'Create service account' }).first().click();
    const form = page.getByRole('dialog', { name: 'Create service account' });
    await form.getByRole('combobox', { name: 'Role' }).click();
    const owner = page.getByRole('option', { name: /^Owner/ });
    expect(await owner.getAttribute('aria-disabled')).toBe('true');
    expect(await owner.innerText()).toContain('You do not hold organization:delete');
    expect(
      await page.getByRole('option', { name: /^Auditor/ }).getAttribute('aria-disabled'),
    ).not.toBe('true');
    await page.keyboard.press('Escape');
    await form.getByRole('button', { name: 'Cancel' }).click();

    await choose(page, `Actions for ${account.name}`, 'Manage keys');
    expect(await entriesOf(page, 'Actions for key Default')).toEqual(['Edit', 'Revoke']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Create key' }).click();
    const key = page.getByRole('dialog', { name: 'Create key' });
    await key.getByLabel('Name').fill('As much as an administrator');
    await key.getByText('the key can do only what you hold too').waitFor();
    const deletion = key.getByRole('checkbox', { name: 'organization:delete' });
    expect(await deletion.getAttribute('aria-disabled')).toBe('true');
    expect(await deletion.isChecked()).toBe(false);
    await key.getByRole('button', { name: 'Create key' }).click();
    await dismissToken(page);
    await page.getByRole('cell', { name: 'As much as an administrator', exact: true }).waitFor();
  });

  /** What a menu offers; it stays open. */
  async function entriesOf(page: Page, menu: string): Promise<string[]> {
    await page.getByRole('button', { name: menu, exact: true }).click();
    await page.getByRole('menu').waitFor();
    const texts = await page.getByRole('menuitem').allInnerTexts();
    return texts.map((text) => text.trim());
  }

  async function dismissToken(page: Page): Promise<void> {
    const token = page.getByRole('dialog', { name: 'Copy the API token now' });
    await token.getByRole('button', { name: 'Got it' }).click();
    await token.waitFor({ state: 'hidden' });
  }

  /** A custom role, named by its key. */
  async function aRole(key: string, permissions: string[]): Promise<void> {
    const { status } = await panel.ada.client.post(`${panel.acme.path}/roles`, {
      key,
      name: key,
      permissions,
    });
    expect(status).toBe(201);
  }

  function navigation(page: Page): Promise<string[]> {
    return page
      .getByRole('navigation', { name: 'Settings' })
      .getByRole('link')
      .allInnerTexts()
      .then((texts) => texts.map((text) => text.trim()));
  }
});
