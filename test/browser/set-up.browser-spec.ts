import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { remember } from '../canary.js';
import { describePanel, PASSWORD } from './browser.js';
import { look } from './looks.js';

describePanel(
  'the first run',
  (panel) => {
    /** The path of the link that the server has printed, with its token. */
    const link = () => {
      const [, path = '', token = ''] = /(\/setup#token=(\w+))/.exec(panel.server.output()) ?? [];
      remember(token);
      return { path, token };
    };

    it('asks for the whole link', async () => {
      const page = await panel.open('/setup');
      await page.getByRole('heading', { name: 'The link is incomplete' }).waitFor();
    });

    it('says of a wrong link that it does not work', async () => {
      const page = await panel.open('/setup#token=clvi_wrong');
      await fillIn(page);
      await page.getByRole('heading', { name: 'This link does not work any more' }).waitFor();
      await look(page, 'set-up link that does not work');
    });

    it('makes the first administrator and organization, and logs them in', async () => {
      const { path, token } = link();
      const page = await panel.open(path);
      await page.getByRole('heading', { name: 'Set up Claviger' }).waitFor();
      await page.waitForURL((url) => url.hash === '');
      await look(page, 'set-up');
      await fillIn(page);
      await page.getByRole('heading', { name: 'No service accounts yet' }).waitFor();
      await page.getByRole('button', { name: 'Organization: Initech' }).waitFor();
      await page.getByRole('button', { name: 'Account of Grace Hopper' }).waitFor();
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      await page.goBack();
      expect(page.url()).not.toContain(token);
    });

    it('is over then: for whoever is logged in, and for everybody else', async () => {
      const page = await panel.open(link().path);
      await fillIn(page);
      await page.getByRole('heading', { name: 'This server is set up already' }).waitFor();
      await look(page, 'set up already');
      await page.getByRole('link', { name: 'Log in' }).click();
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
    });

    async function fillIn(page: Page): Promise<void> {
      await page.getByLabel('Your name').fill('Grace Hopper');
      await page.getByLabel('E-mail').fill('grace@example.com');
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByLabel('Name of the organization').fill('Initech');
      await page.getByRole('button', { name: 'Set up and log in' }).click();
    }
  },
  { isNew: true, refusals: [/^(401|404) POST \/v1\/setup$/] },
);
