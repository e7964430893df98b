import { PGlite } from '@electric-sql/pglite';
import { expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describePanel } from './browser.js';
import { look } from './looks.js';

/** Something that nobody does through the server: it renames who did what. */
const TAMPER = `
  ALTER TABLE audit_events DISABLE TRIGGER USER;
  UPDATE audit_events SET body = replace(body, 'Payroll import', 'Nobody') WHERE action = 'service_account.created';
  ALTER TABLE audit_events ENABLE TRIGGER USER;
`;

describePanel('a trail that is verified', (panel) => {
  it('is unbroken; and where somebody has changed it, says where', async () => {
    await panel.anAccount('Payroll import');
    const { body } = await panel.ada.client.get(
      `${panel.acme.path}/audit-events?action=service_account.created`,
    );
    const { sequence } = body.data[0];
    const open = () => panel.openAs(panel.ada, `${panel.acme.page}/audit`);
    const before = await open();
    const dialog = await verify(before);
    await dialog.getByText(/^\d+ events, unbroken$/).waitFor();
    const end = await dialog.getByText('Last hash').isVisible();
    expect(end).toBe(true);

    await before.context().close();
    await panel.restart(async (dataDirectory) => {
      const database = await PGlite.create(join(dataDirectory, 'pg'));
      await database.exec(TAMPER);
      await database.close();
    });
    const page = await open();
    const alert = (await verify(page)).getByRole('alert');
    await alert.getByText(`Event number ${sequence} is not as it was written`).waitFor();
    await alert.getByText(`The ${sequence - 1} events before it are unbroken`).waitFor();
    await look(page, 'trail broken', '[role=dialog]');
  });

  async function verify(page: Page): Promise<Locator> {
    await page.getByRole('button', { name: 'Verify trail' }).click();
    const dialog = page.getByRole('dialog', { name: 'Verify the trail' });
    await dialog.getByRole('button', { name: 'Verify' }).click();
    return dialog;
  }
});
