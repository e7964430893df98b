import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { choose, describePanel, logIn } from './browser.js';
import { keptBy } from './kept.js';

describePanel(
  'entry',
  (panel) => {
    it('logs in and goes on to the page that was asked for', async () => {
      const asked = `${panel.acme.page}/service-accounts?status=active`;
      const page = await panel.open(asked);
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      expect(new URL(page.url()).pathname).toBe('/login');
      await logIn(page, panel.ada);
      await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
      expect(page.url()).toBe(panel.url + asked);
    });

    it('goes to no other site after the login', async () => {
      for (const next of ['//example.com', '/\\example.com', 'https://example.com']) {
        const page = await panel.open(`/login?next=${encodeURIComponent(next)}`);
        await logIn(page, panel.ada);
        await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
        expect(new URL(page.url()).origin).toBe(panel.url);
      }
    });

    it('says of a wrong password and of an unknown person the same, and keeps the form', async () => {
      const page = await panel.open('/login');
      for (const email of [panel.ada.email, 'nobody@example.com']) {
        await logIn(page, { email, password: 'not the password' });
        await page.getByRole('alert').getByText('E-mail or password is wrong').waitFor();
        expect(await page.getByRole('alert').count()).toBe(1);
        expect(await page.getByLabel('E-mail', { exact: true }).inputValue()).toBe(email);
        expect(new URL(page.url()).pathname).toBe('/login');
        await page.reload();
      }
    });

    it('keeps the session in a cookie that no script can read, and nowhere else', async () => {
      const page = await logInByForm();
      const cookies = await page.context().cookies();
      expect(cookies).toEqual([
        expect.objectContaining({ httpOnly: true, sameSite: 'Strict', path: '/' }),
      ]);
      const [cookie] = cookies;
      expect(cookie?.value).toMatch(/^clvc_/);
      expect(await page.evaluate('document.cookie')).toBe('');
      const kept = await keptBy(page);
      const isKept = (text = '') => kept.includes(text);
      expect(isKept(panel.acme.id)).toBe(true); // The search does see what is stored.
      expect(isKept(cookie?.value)).toBe(false);
      expect(isKept(panel.ada.password)).toBe(false);
    });

    it('logs out: the session is over on the server, and Back shows nothing', async () => {
      const page = await logInByForm();
      const [cookie] = await page.context().cookies();
      // A page behind this one, for Back to go to.
      await page.getByRole('link', { name: 'Users' }).click();
      await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
      await choose(page, `Account of ${panel.ada.name}`, 'Log out');
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      expect(await page.context().cookies()).toEqual([]);
      const { status } = await fetch(`${panel.url}/v1/me`, {
        headers: { cookie: `${cookie?.name}=${cookie?.value}` },
      });
      expect(status).toBe(401);
      await page.goBack();
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      expect(await page.getByText(panel.acme.name).count()).toBe(0);
    });

    it('asks for the login again when the session has ended elsewhere', async () => {
      const page = await logInByForm();
      await page.waitForLoadState('networkidle');
      const [cookie] = await page.context().cookies();
      const { status } = await fetch(`${panel.url}/v1/sessions/current`, {
        method: 'DELETE',
        headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: panel.url },
      });
      expect(status).toBe(204);
      await page.reload();
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      // What is left of the session is no obstacle to the next one.
      await logIn(page, panel.ada);
      await page
        .getByRole('button', { name: `Account of ${panel.ada.name}` })
        .first()
        .waitFor();
    });

    it('works with no session that another server has put beside its own, and gets rid of it', async () => {
      const page = await panel.openAs(panel.ada);
      await page.waitForLoadState('networkidle');
      const [cookie] = await page.context().cookies();
      const stray = { ...cookie!, path: '/v1', value: 'put there by another port' };
      await page.context().addCookies([stray]);
      expect(await page.context().cookies(`${panel.url}/v1/me`)).toHaveLength(2);
      await page.reload();
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      expect(await page.context().cookies(`${panel.url}/v1/me`)).toEqual([cookie]);
      await page.reload();
      await page
        .getByRole('button', { name: `Account of ${panel.ada.name}` })
        .first()
        .waitFor();
    });

    it('lets people log in where many others from their address are not logged in', async () => {
      const strangers = Array.from({ length: 80 }, () => fetch(`${panel.url}/v1/me`));
      const statuses = (await Promise.all(strangers)).map(({ status }) => status);
      expect(statuses).toContain(429);
      const page = await panel.open(`${panel.acme.page}/users`);
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      await logIn(page, panel.ada);
      await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
    });

    /** A session of its own, which the test may end. */
    async function logInByForm(): Promise<Page> {
      const page = await panel.open('/login');
      await logIn(page, panel.ada);
      await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
      return page;
    }
  },
  { refusals: [/^401 POST \/v1\/sessions$/, /^429 GET \/v1\/me$/] },
);
