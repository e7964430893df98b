import { expect, it } from '@jest/globals';
import { describePanel, settled } from './browser.js';

describePanel('What is for everybody', (panel) => {
  it('leaves the focus on a button whose work goes on, and does the work once', async () => {
    const page = await panel.openAs(panel.ada, `${panel.acme.page}/general`);
    await settled(page);
    let sent = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route(`**${panel.acme.path}`, async (route) => {
      if (route.request().method() === 'PATCH') {
        sent += 1;
        await released;
      }
      await route.continue();
    });
    await page.getByLabel('Requests per minute').fill('800');
    const save = page.getByRole('button', { name: 'Save' });
    await save.focus();
    await page.keyboard.press('Enter');
    await page.locator('button[aria-busy=true]').waitFor();
    await page.keyboard.press('Enter');
    await page.getByLabel('Requests per minute').press('Enter');
    await save.focus();
    release();
    await page.getByText('The settings are saved').waitFor();
    expect(sent).toBe(1);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Save');
    // Nothing is left to save.
    expect(await save.isDisabled()).toBe(true);
  });

  it('says what the bars of the usage chart show, day by day', async () => {
    const { id, token } = await panel.anAccount('Counted');
    const { status } = await fetch(`${panel.url}/v1/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(200);
    const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts/${id}`);
    await settled(page);
    await page.getByText('Day by day').focus();
    await page.keyboard.press('Enter');
    const rows = page.getByRole('group').getByRole('row');
    expect(await rows.count()).toBe(31);
    const today = new Date().toISOString().slice(0, 10);
    expect(await rows.nth(1).innerText()).toMatch(new RegExp(`^${today}\\s+\\d+\\s+0$`));
  });
});
