import { beforeAll, expect, it } from '@jest/globals';
import type { Page, Response } from 'playwright-core';
import { describePanel, type Organization, type Person, settled } from './browser.js';
import { addressOf, IN_ORGANIZATION, ROUTES } from './routes.js';

/** Well-formed, and nobody's. */
const UNKNOWN = '01h455vb4pex5vsknk084sn02q';

const PAGES = ROUTES.filter((route) => route.startsWith(IN_ORGANIZATION));

/** What buttons and entries of menus may say to somebody who may only look: they lead somewhere, or order what is shown. */
const HARMLESS = [
  /^(Organization: |Account of )/,
  /^(Profile and sessions|As the system|Light|Dark|Log out)$/,
  /^(Globex|Acme) /,
  /^(Name|E-mail|Last used|Last login|Created|Added|Expires)$/,
  /^(Previous|Next|Clear the filters)$/,
  /^Actions for /,
  /^(Manage keys|See what it permits)$/,
  /^(Reload|Try again|Dismiss)$/,
];

describePanel(
  'isolation',
  (panel) => {
    let globex: Organization;
    let viewer: Person;
    let stranger: Person;
    let mine: Record<string, string>;

    beforeAll(async () => {
      const account = await panel.anAccount('Payroll import');
      globex = await panel.anOrganization('Globex');
      viewer = await panel.aPerson('Vera Viewer', panel.acme, 'viewer');
      stranger = await panel.aPerson('Oskar Other', globex, 'owner');
      const { body } = await panel.ada.client.get(`${panel.acme.path}/audit-events`);
      mine = {
        organizationId: panel.acme.id,
        serviceAccountId: account.id,
        eventId: body.data[0].id,
      };
    });

    it('offers a viewer nothing that changes anything, on any page', async () => {
      const page = await panel.openAs(viewer);
      for (const route of PAGES) {
        await page.goto(addressOf(route, mine));
        await settled(page);
        expect({ route, offered: await changesOffered(page) }).toEqual({ route, offered: [] });
      }
    });

    it('finds what it offers the owner', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts`);
      await settled(page);
      expect(await changesOffered(page)).toEqual(
        expect.arrayContaining(['Create service account', 'Edit', 'Disable', 'Delete']),
      );
      await page.goto(`${panel.acme.page}/users`);
      await settled(page);
      expect(await changesOffered(page)).toEqual(expect.arrayContaining(['Invite', 'Remove']));
    });

    it('tells somebody of another organization nothing, whatever address they ask for', async () => {
      const answers: Promise<string>[] = [];
      const page = await panel.openAs(stranger);
      page.on('response', (response) => {
        if (isJson(response)) answers.push(response.text().catch(() => ''));
      });
      await page.reload();
      await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
      const unknown = {
        organizationId: `org_${UNKNOWN}`,
        serviceAccountId: `sa_${UNKNOWN}`,
        eventId: `evt_${UNKNOWN}`,
      };
      for (const route of PAGES) {
        // What is another's reads as what has never been: wholly theirs, and theirs within one's own organization.
        const shown = await textAt(page, addressOf(route, mine));
        expect(shown).toBe(await textAt(page, addressOf(route, unknown)));
        expect(shown).toMatch(/nothing here/i);
        if (!/:(serviceAccountId|eventId)/.test(route)) continue;
        const organizationId = globex.id;
        const within = await textAt(page, addressOf(route, { ...mine, organizationId }));
        expect(within).toBe(await textAt(page, addressOf(route, { ...unknown, organizationId })));
        expect(within).toMatch(/not found|nothing here|does not exist/i);
      }
      const everything = (await Promise.all(answers)).join('\n');
      expect(everything.includes(stranger.name)).toBe(true);
      const document = await page.content();
      for (const secret of [panel.acme.name, 'Payroll import', panel.ada.email, viewer.email]) {
        const isTold = everything.includes(secret) || document.includes(secret);
        expect({ secret, isTold }).toEqual({ secret, isTold: false });
      }
    });

    /** Names of the buttons, links that act, and entries of menus, that are not {@link HARMLESS}. */
    async function changesOffered(page: Page): Promise<string[]> {
      const names = await namesOf(page, 'button');
      const menus = page.getByRole('button', { name: /^(Actions for|Organization: |Account of)/ });
      for (const menu of await menus.filter({ visible: true }).all()) {
        await menu.click();
        await page.getByRole('menu').waitFor();
        names.push(...(await namesOf(page, 'menuitem')));
        await page.keyboard.press('Escape');
        await page.getByRole('menu').waitFor({ state: 'hidden' });
      }
      return names.filter((name) => !HARMLESS.some((one) => one.test(name)));
    }

    async function namesOf(page: Page, role: 'button' | 'menuitem'): Promise<string[]> {
      const names: string[] = [];
      for (const one of await page.getByRole(role).filter({ visible: true }).all()) {
        const text = (await one.getAttribute('aria-label')) ?? (await one.innerText());
        names.push(text.replace(/\s+/g, ' ').trim());
      }
      return names;
    }

    async function textAt(page: Page, address: string): Promise<string> {
      await page.goto(address);
      const content = page
        .getByRole('dialog')
        .or(page.getByRole('main'))
        .filter({ hasText: /nothing here|not found|does not exist/i });
      await content.first().waitFor();
      return textOf(await content.first().innerText());
    }
  },
  { refusals: [/^(400|404) GET \/v1\/organizations\/\w+\/(service-accounts\/sa_|audit-events\/)/] },
);

/** Answers of the API; the panel's own files have words of many kinds. */
function isJson(response: Response): boolean {
  return /json/.test(response.headers()['content-type'] ?? '');
}

/** Without what is different every time: ids. */
function textOf(text: string): string {
  return text.replace(/\b(?:req|sa|org|evt)_\w+/g, '…');
}
