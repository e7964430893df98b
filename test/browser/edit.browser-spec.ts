import { expect, it } from '@jest/globals';
import { choose, describePanel, settled } from './browser.js';

describePanel(
  'Two people who change the same',
  (panel) => {
    it('undoes nothing of the faster one, and loses nothing of the slower one', async () => {
      const { id } = await panel.anAccount('CRM → sync');
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts/${id}`);
      await settled(page);
      await choose(page, 'Actions for CRM → sync', 'Edit');
      await page.getByLabel('Purpose').fill('Keeps the CRM in step.');
      await page.getByLabel('Description').fill('Mine');

      const path = `${panel.acme.path}/service-accounts/${id}`;
      const theirs = { description: 'Theirs', systems: ['CRM'] };
      expect((await panel.ada.client.patch(path, theirs)).status).toBe(200);

      await page.getByRole('button', { name: 'Save' }).click();
      const notice = page.getByRole('alert');
      await notice.getByText('Somebody else has changed it meanwhile').waitFor();
      expect(await notice.getByRole('listitem').allInnerTexts()).toEqual([
        'Description: Theirs',
        'Systems: CRM',
      ]);
      expect(await page.getByLabel('Purpose').inputValue()).toBe('Keeps the CRM in step.');
      expect(await page.getByLabel('Description').inputValue()).toBe('Mine');
      expect(await page.getByLabel('Systems').inputValue()).toBe('CRM');

      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved CRM → sync').waitFor();
      const { body } = await panel.ada.client.get(path);
      expect(body).toMatchObject({
        purpose: 'Keeps the CRM in step.',
        description: 'Mine',
        systems: ['CRM'],
      });
    });

    it('does not ask about a change that the form does not show', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/general`);
      await page.getByLabel('Requests per minute').fill('700');
      for (const step of ['suspend', 'resume']) {
        expect((await panel.ada.client.post(`${panel.acme.path}/${step}`)).status).toBe(200);
      }
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('The settings are saved').waitFor();
      const { body } = await panel.ada.client.get(panel.acme.path);
      expect(body.settings.requestsPerMinute).toBe(700);
    });
  },
  { refusals: [/^412 PATCH /] },
);
