import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { choose, describePanel, type Panel, settled } from './browser.js';

/** Ends the session of a page from elsewhere. */
async function endSession(panel: Panel, page: Page): Promise<void> {
  const [cookie] = await page.context().cookies();
  const { status } = await fetch(`${panel.url}/v1/sessions/current`, {
    method: 'DELETE',
    headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: panel.url },
  });
  expect(status).toBe(204);
  // The next page needs another one.
  panel.ada.cookie = undefined;
}

/** Has the page ask the server for something. */
async function lookAgain(page: Page): Promise<void> {
  await page.evaluate('dispatchEvent(new Event("visibilitychange"))');
}

describePanel(
  'A session that ends under a page',
  (panel) => {
    const login = (page: Page) => page.getByRole('dialog', { name: 'Your session has ended' });

    async function logInAgain(page: Page): Promise<void> {
      await login(page).getByLabel('Password', { exact: true }).fill(panel.ada.password);
      await login(page).getByRole('button', { name: 'Log in' }).click();
      await login(page).waitFor({ state: 'hidden' });
    }

    it('keeps a token that nobody has stored yet', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts`);
      await page.getByRole('button', { name: 'Create service account' }).first().click();
      await page.getByLabel('Name', { exact: true }).fill('Kept over the end');
      await page.getByRole('button', { name: 'Submit' }).click();
      const token = page.getByRole('dialog', { name: 'Copy the API token now' });
      await token.getByRole('button', { name: 'Reveal' }).click();
      await endSession(panel, page);
      await page.clock.install();
      await page.clock.fastForward('10:00');
      await lookAgain(page);
      await login(page).waitFor();

      // Put aside, the token can be read and copied.
      await login(page).getByRole('button', { name: 'Close' }).click();
      await login(page).waitFor({ state: 'hidden' });
      await token.getByText(/^clv_\w+$/).waitFor();
      await token.getByRole('button', { name: 'Got it' }).click();
      await token.waitFor({ state: 'hidden' });
      await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
      expect(await page.getByRole('table').isVisible()).toBe(false);

      await page.getByRole('button', { name: 'Log in' }).click();
      await logInAgain(page);
      await page.getByRole('link', { name: 'Kept over the end' }).waitFor();
      expect(await page.title()).toBe('Service accounts · Claviger');
    });

    it('keeps what has been filled in, and saves it after another login', async () => {
      const { id } = await panel.anAccount('Drafted');
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts/${id}`);
      await settled(page);
      await choose(page, 'Actions for Drafted', 'Edit');
      await page.getByLabel('Description').fill('Written before the end');
      await endSession(panel, page);
      await page.getByRole('button', { name: 'Save' }).click();
      await login(page).waitFor();
      await logInAgain(page);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved Drafted').waitFor();
      const { body } = await panel.ada.client.get(`${panel.acme.path}/service-accounts/${id}`);
      expect(body.description).toBe('Written before the end');
    });

    it('is noticed by a verification of the trail, and shows nothing to somebody else', async () => {
      const grace = await panel.aPerson('Grace', panel.acme, 'auditor');
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/audit`);
      await settled(page);
      await page.getByRole('button', { name: 'Verify trail' }).click();
      const verify = page.getByRole('dialog', { name: 'Verify the trail' });
      await endSession(panel, page);
      await verify.getByRole('button', { name: 'Verify' }).click();
      await login(page).getByLabel('E-mail', { exact: true }).fill(grace.email);
      await logInAgain(page);
      await verify.waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Account of Grace' }).waitFor();
    });

    it('is not put off by a live tail that nobody watches', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/audit`);
      await settled(page);
      await page.clock.install();
      await page.getByRole('button', { name: 'Live', exact: true }).click();
      await page.getByText('Watching.').waitFor();
      await page.clock.fastForward('09:00');
      await page.mouse.move(10, 10);
      await page.clock.fastForward('09:00');
      expect(await page.getByText('Live tail paused').count()).toBe(0);
      await page.clock.fastForward('01:01');
      await page.getByText('Live tail paused').waitFor();
      let looks = 0;
      page.on('request', (request) => (looks += Number(request.url().includes('/audit-events'))));
      await page.clock.fastForward('00:10');
      expect(looks).toBe(0);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('Watching.').waitFor();
    });
  },
  { refusals: [/^401 /] },
);
