import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describePanel, type Person } from './browser.js';

// Answers that nobody expects make these tests fail: so does asking the server for what it must refuse.
describePanel('permissions', (panel) => {
  let auditor: Person;
  let verifier: Person;
  let viewer: Person;

  beforeAll(async () => {
    await aRole('trail-reader', ['audit:read']);
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
