import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { choose, confirm, describePanel, expectRows, type Organization } from './browser.js';

describePanel(
  'roles',
  (panel) => {
    let globex: Organization;
    beforeAll(async () => {
      globex = await panel.anOrganization('Globex');
    });
    const open = () => panel.openAs(panel.ada, `${globex.page}/roles`);
    const read = async (key: string) =>
      (await panel.ada.client.get(`${globex.path}/roles/${key}`)).body;
    /** What the matrix says of a permission, role by role. */
    const held = async (page: Page, permission: string) => {
      const matrix = page.getByRole('region', { name: 'Permissions by role' }).getByRole('table');
      const heads = await matrix.getByRole('columnheader').allInnerTexts();
      const cells = await matrix
        .getByRole('row', { name: permission })
        .getByRole('cell')
        .allInnerTexts();
      // The first head stands over the permissions themselves.
      return heads.slice(1).filter((_, index) => cells[index]?.trim() === 'Yes');
    };

    it('are listed with what each permits', async () => {
      const page = await open();
      await expectRows(page, 'Roles', [
        'Administrator',
        'Auditor',
        'Owner',
        'Provisioner',
        'Verifier',
        'Viewer',
      ]);
      await page.getByRole('region', { name: 'Permissions by role' }).waitFor();
      expect(await held(page, 'organization:delete')).toEqual(['Owner']);
      expect(await held(page, 'audit:read')).toEqual(['Administrator', 'Auditor', 'Owner']);
      await choose(page, 'Actions for Verifier', 'See what it permits');
      const dialog = page.getByRole('dialog', { name: 'Verifier' });
      await dialog.getByRole('listitem').waitFor();
      expect(await dialog.getByRole('listitem').count()).toBe(1);
    });

    it('of the organization are made, changed and deleted', async () => {
      const page = await open();
      await page.getByRole('button', { name: 'New role' }).click();
      const form = page.getByRole('dialog', { name: 'New role' });
      await form.getByLabel('Name', { exact: true }).fill('Release Bot');
      expect(await form.getByLabel('Key', { exact: true }).inputValue()).toBe('release-bot');
      await form.getByRole('checkbox', { name: 'service-accounts:read' }).click();
      await form.getByRole('button', { name: 'Create role' }).click();
      await page.getByRole('row', { name: /^Release Bot release-bot Custom 0/ }).waitFor();
      expect((await read('release-bot')).permissions).toEqual(['service-accounts:read']);
      expect(await held(page, 'service-accounts:read')).toContain('Release Bot');

      await choose(page, 'Actions for Release Bot', 'Edit');
      const edit = page.getByRole('dialog', { name: 'Edit “Release Bot”' });
      await edit.getByLabel('Description').fill('Reads what is deployed.');
      await edit.getByRole('checkbox', { name: 'keys:read' }).click();
      await edit.getByRole('button', { name: 'Save changes' }).click();
      await page.getByRole('row', { name: /^Release Bot Reads what is deployed\./ }).waitFor();
      expect((await read('release-bot')).permissions.sort()).toEqual([
        'keys:read',
        'service-accounts:read',
      ]);

      await choose(page, 'Actions for Release Bot', 'Copy as a new role');
      const copy = page.getByRole('dialog', { name: 'New role' });
      expect(await copy.getByLabel('Name', { exact: true }).inputValue()).toBe(
        'Copy of Release Bot',
      );
      await copy.getByRole('button', { name: 'Create role' }).click();
      await page.getByRole('row', { name: /^Copy of Release Bot/ }).waitFor();

      await choose(page, 'Actions for Copy of Release Bot', 'Delete');
      await confirm(page, 'Delete the role “Copy of Release Bot”?', 'Delete role');
      await page.getByRole('row', { name: /^Copy of/ }).waitFor({ state: 'detached' });
      expect((await read('copy-of-release-bot')).code).toBe('not_found');
    });

    it('have keys that are free, and stay while somebody has them', async () => {
      await panel.ada.client.post(`${globex.path}/roles`, {
        key: 'robot',
        name: 'Robot',
        permissions: ['keys:read'],
      });
      await panel.anAccount('Payroll import', globex, 'robot');
      const page = await open();
      await page.getByRole('button', { name: 'New role' }).click();
      const form = page.getByRole('dialog', { name: 'New role' });
      await form.getByLabel('Name', { exact: true }).fill('Robot');
      await form.getByRole('checkbox', { name: 'keys:read' }).click();
      await form.getByRole('button', { name: 'Create role' }).click();
      await page
        .locator('[aria-invalid=true]')
        .and(form.getByLabel('Key', { exact: true }))
        .waitFor();
      await form.getByRole('button', { name: 'Cancel' }).click();

      await choose(page, 'Actions for Robot', 'Delete');
      const question = page.getByRole('alertdialog', { name: 'Delete the role “Robot”?' });
      await question.getByText('One user or service account has this role.').waitFor();
      expect(await question.getByRole('button', { name: 'Delete role' }).isDisabled()).toBe(true);
    });

    it('that are built in can neither be changed nor deleted', async () => {
      const page = await open();
      await page.getByRole('button', { name: 'Actions for Viewer' }).click();
      await page.getByRole('menu').waitFor();
      expect(await page.getByRole('menuitem').allInnerTexts()).toEqual([
        'See what it permits',
        'Copy as a new role',
      ]);
    });
  },
  { refusals: [/^409 POST \/v1\/organizations\/\w+\/roles/] },
);
