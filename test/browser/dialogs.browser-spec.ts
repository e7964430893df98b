import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Account, choose, describePanel, type Person, pick } from './browser.js';
import { look } from './looks.js';

/** What opens over a page: its name on pictures, and how it is opened there. */
type Opening = readonly [name: string, open: (page: Page) => Promise<void>];

const press =
  (name: string) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name, exact: true }).filter({ visible: true }).first().click();
  };
const take = (menu: string, entry: string) => (page: Page) => choose(page, menu, entry);

/** What is opened; the page below it is looked at by itself. */
const OPENED = '[role=dialog], [role=alertdialog], [role=menu], [role=listbox]';

const PEOPLE = ['Vera Viewer', 'Dora Disabled'] as const;

/** All of them but what can be seen once (see the specs of tokens and users), by page. */
const OPENINGS: Readonly<Record<string, readonly Opening[]>> = {
  'service-accounts': [
    ['menu of organizations', press('Organization: Acme')],
    ['menu of the account', press('Account of Administrator')],
    ['choices', (page) => page.getByRole('combobox', { name: 'Role' }).click()],
    ['new organization', take('Organization: Acme', 'New organization…')],
    ['create service account', press('Create service account')],
    ['menu of a service account', press('Actions for Payroll import')],
    ['edit service account', take('Actions for Payroll import', 'Edit')],
    ['disable service account', take('Actions for Payroll import', 'Disable')],
    ['delete service account', take('Actions for Payroll import', 'Delete')],
  ],
  'service-accounts/:account/keys': [
    ['create key', press('Create key')],
    ['menu of a key', press('Actions for key Default')],
    ['rotate key', take('Actions for key Default', 'Rotate')],
    ['edit key', take('Actions for key Default', 'Edit')],
    ['revoke key', take('Actions for key Default', 'Revoke')],
  ],
  users: [
    ['invite', press('Invite')],
    ['import users', press('Import')],
    ['export users', press('Export')],
    ['menu of a user', press(`Actions for ${PEOPLE[0]}`)],
    ['role of a user', take(`Actions for ${PEOPLE[0]}`, 'Change role')],
    ['disable user', take(`Actions for ${PEOPLE[0]}`, 'Disable')],
    ['remove user', take(`Actions for ${PEOPLE[0]}`, 'Remove')],
    ['enable user', take(`Actions for ${PEOPLE[1]}`, 'Enable')],
    ['resend invitation', take('Actions for Ida Invited', 'Send invitation again')],
    ['revoke invitation', take('Actions for Ida Invited', 'Revoke invitation')],
  ],
  roles: [
    ['new role', press('New role')],
    ['menu of a role', press('Actions for Deployer')],
    ['role', take('Actions for Deployer', 'See what it permits')],
    ['edit role', take('Actions for Deployer', 'Edit')],
    ['copy role', take('Actions for Deployer', 'Copy as a new role')],
    ['delete role', take('Actions for Deployer', 'Delete')],
  ],
  audit: [
    [
      'menu of an event',
      (page) =>
        page
          .getByLabel(/^Actions for event/)
          .first()
          .click(),
    ],
    ['export trail', press('Export')],
    ['verify trail', press('Verify trail')],
    [
      'trail verified',
      async (page) => {
        await press('Verify trail')(page);
        const dialog = page.getByRole('dialog', { name: 'Verify the trail' });
        await dialog.getByRole('button', { name: 'Verify' }).click();
        await dialog.getByText(/events, unbroken$/).waitFor();
      },
    ],
  ],
  general: [
    ['suspend organization', press('Suspend')],
    ['delete organization', press('Delete…')],
  ],
  '/profile': [
    ['end other sessions', press('End all others')],
    [
      'end session',
      (page) =>
        page
          .getByLabel(/^End the session of/)
          .first()
          .click(),
    ],
  ],
};

describePanel(
  'what opens over a page is accessible, in both themes, and fits a narrow screen',
  (panel) => {
    let account: Account;

    beforeAll(async () => {
      account = await panel.anAccount('Payroll import');
      await fetch(`${panel.url}/v1/me`, { headers: { authorization: `Bearer ${account.token}` } });
      const people: Person[] = [];
      for (const name of PEOPLE) people.push(await panel.aPerson(name, panel.acme, 'viewer'));
      const { acme, ada } = panel;
      const { body } = await people[1]!.client.get('/v1/me');
      for (const [path, input] of [
        [`${acme.path}/users/${body.id}/disable`],
        [
          `${acme.path}/invitations`,
          { email: 'ida@example.com', name: 'Ida Invited', role: 'viewer' },
        ],
        [
          `${acme.path}/roles`,
          {
            key: 'deployer',
            name: 'Deployer',
            permissions: ['keys:read', 'service-accounts:read'],
          },
        ],
      ] as const) {
        expect((await ada.client.post(path, input)).status).toBeLessThan(300);
      }
      await panel.logInAgain(ada);
    });

    for (const [path, openings] of Object.entries(OPENINGS)) {
      describe(path, () => {
        let page: Page;
        beforeAll(async () => {
          const address = path.replace(':account', account.id);
          page = await panel.openAs(
            panel.ada,
            address.startsWith('/') ? address : `${panel.acme.page}/${address}`,
          );
        });
        for (const [name, open] of openings) {
          it(name, async () => {
            const opened = page.locator(OPENED).filter({ visible: true });
            if ((await opened.count()) > 0) await page.reload(); // The test before has failed.
            await open(page);
            await opened.first().waitFor();
            await look(page, name, OPENED);
            await page.keyboard.press('Escape');
            await opened.first().waitFor({ state: 'hidden' });
          });
        }
      });
    }

    it('a key with limits', async () => {
      const page = await panel.openAs(
        panel.ada,
        `${panel.acme.page}/service-accounts/${account.id}/keys`,
      );
      await press('Create key')(page);
      const form = page.getByRole('dialog', { name: 'Create key' });
      await form.getByRole('checkbox', { name: /^Only some of/ }).click();
      await pick(form, 'Key expires', 'On a date…');
      await form.getByRole('button', { name: 'Create key' }).click(); // Without a name: it is refused.
      await look(page, 'key with limits', OPENED);
    });
  },
);
