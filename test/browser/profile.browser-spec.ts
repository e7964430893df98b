import { expect, it } from '@jest/globals';
import { confirm, describePanel } from './browser.js';

const SESSION = 'Your sessions';

describePanel('profile', (panel) => {
  it('changes the name that others see', async () => {
    const nora = await panel.aPerson('Nora Name', panel.acme, 'viewer');
    const page = await panel.openAs(nora, '/profile');
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await page.getByLabel('Name', { exact: true }).fill('Nora Newname');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your name is saved').waitFor();
    await page.getByRole('button', { name: 'Account of Nora Newname' }).waitFor();
    const users = await panel.ada.client.get(`${panel.acme.path}/users?search=nora`);
    expect(users.body.data[0].name).toBe('Nora Newname');
  });

  it('lists the sessions, and ends any', async () => {
    const sina = await panel.aPerson('Sina Session', panel.acme, 'viewer');
    const others = [await panel.logInAgain(sina), await panel.logInAgain(sina)];
    const statuses = () =>
      Promise.all([sina.client, ...others].map(async (one) => (await one.get('/v1/me')).status));
    const page = await panel.openAs(sina, '/profile');
    const rows = page.getByRole('table', { name: SESSION }).getByRole('row');
    const mine = rows.filter({ hasText: 'This session' });
    await mine.waitFor();
    expect(await rows.count()).toBe(5); // With the head.
    expect(await mine.getByRole('button').count()).toBe(0);

    await page
      .getByRole('button', { name: /^End the session of/ })
      .first()
      .click();
    await confirm(page, /^End the session of/, 'End the session');
    await page.getByText(/^The session of .* has ended$/).waitFor();
    expect((await statuses()).sort()).toEqual([200, 200, 401]);

    await page.getByRole('button', { name: 'End all others' }).click();
    await confirm(page, 'End all other sessions?', 'End all others');
    await page.getByText('2 other sessions have ended').waitFor();
    expect(await statuses()).toEqual([401, 401, 401]);
    await page.getByRole('button', { name: 'End all others' }).waitFor({ state: 'detached' });
    expect(await rows.count()).toBe(2);
  });

  it('remembers the theme that was chosen', async () => {
    const page = await panel.openAs(panel.ada, '/profile', { colorScheme: 'light' });
    const isDark = () => page.evaluate(`getComputedStyle(document.documentElement).colorScheme`);
    expect(await isDark()).not.toBe('dark');
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    expect(await isDark()).toBe('dark');
    await page.reload();
    expect(await isDark()).toBe('dark');
  });
});
