import { beforeAll, expect, it } from '@jest/globals';
import type { Page, Response } from 'playwright-core';
import { type Account, describePanel, type Organization, type Person, settled } from './browser.js';

/** Well-formed, and nobody's. */
const UNKNOWN = '01h455vb4pex5vsknk084sn02q';

describePanel(
  'isolation',
  (panel) => {
    let account: Account;
    let globex: Organization;
    let viewer: Person;
    let stranger: Person;

    beforeAll(async () => {
      account = await panel.anAccount('Payroll import');
      globex = await panel.anOrganization('Globex');
      viewer = await panel.aPerson('Vera Viewer', panel.acme, 'viewer');
      stranger = await panel.aPerson('Oskar Other', globex, 'owner');
    });

    it('shows a viewer what is there, and no button for what they may not do', async () => {
      const accounts = `${panel.acme.page}/service-accounts`;
      for (const path of [
        accounts,
        `${accounts}/${account.id}`,
        ...((await mayRead(viewer, 'keys:read')) ? [`${accounts}/${account.id}/keys`] : []),
      ]) {
        const page = await panel.openAs(viewer, path);
        await page.getByText(account.name).first().waitFor();
        await settled(page);
        const forbidden = page.getByRole('button', {
          name: /\b(create|revoke|rotate|invite|save)\b/i,
        });
        expect(await forbidden.allTextContents()).toEqual([]);
        expect(await offered(page)).toEqual([]);
        await page.context().close();
      }
    });

    it('shows the same page to the owner with its buttons', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts`);
      await page.getByRole('button', { name: 'Create service account' }).first().waitFor();
      await page.getByRole('link', { name: account.name }).waitFor();
      expect(await offered(page)).toEqual(['Edit', 'Disable', 'Delete']);
    });

    it('tells somebody of another organization nothing, whatever address they ask for', async () => {
      const answers: Promise<string>[] = [];
      const page = await panel.openAs(stranger);
      page.on('response', (response) => {
        if (isJson(response)) answers.push(response.text().catch(() => ''));
      });
      await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
      const shown: string[] = [];
      for (const [organization, id] of [
        [panel.acme.id, account.id],
        [`org_${UNKNOWN}`, `sa_${UNKNOWN}`],
        [globex.id, account.id],
        [globex.id, `sa_${UNKNOWN}`],
      ] as const) {
        const accounts = `/organizations/${organization}/service-accounts`;
        for (const path of [accounts, `${accounts}/${id}`, `${accounts}/${id}/keys`]) {
          if (path === accounts && organization === globex.id) continue;
          await page.goto(path);
          await page
            .getByText(/nothing here|not found/i)
            .first()
            .waitFor();
          shown.push(textOf(await page.getByRole('main').innerText()));
        }
      }
      // What is another's reads as what has never been.
      expect(shown.slice(0, 3)).toEqual(shown.slice(3, 6));
      expect(shown.slice(6, 8)).toEqual(shown.slice(8, 10));
      const everything = (await Promise.all(answers)).join('\n');
      expect(everything).toContain(stranger.name);
      for (const secret of [panel.acme.name, account.name, panel.ada.email]) {
        expect(everything).not.toContain(secret);
        expect(await page.content()).not.toContain(secret);
      }
    });

    async function mayRead(person: Person, permission: string): Promise<boolean> {
      const { body } = await person.client.get('/v1/me');
      return body.organizations[0].permissions.includes(permission);
    }

    /** What the account's menu offers that changes something. */
    async function offered(page: Page): Promise<string[]> {
      const menu = page.getByRole('button', { name: `Actions for ${account.name}` });
      if ((await menu.count()) === 0) return [];
      await menu.click();
      await page.getByRole('menu').waitFor();
      const entries = await page.getByRole('menuitem').allInnerTexts();
      return entries.map((entry) => entry.trim()).filter((entry) => entry !== 'Manage keys');
    }
  },
  { refusals: [/^404 GET \/v1\/organizations\/\w+\/service-accounts\/sa_/] },
);

/** Answers of the API; the panel's own files have words of many kinds. */
function isJson(response: Response): boolean {
  return /json/.test(response.headers()['content-type'] ?? '');
}

/** Without what is different every time: ids. */
function textOf(text: string): string {
  return text.replace(/\b(?:req|sa|org)_\w+/g, '…');
}
