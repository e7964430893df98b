import { expect, it } from '@jest/globals';
import { tokenIn } from '../smtp.js';
import { choose, describePanel, logIn, PASSWORD, pick } from './browser.js';
import { heapOf, keptBy } from './kept.js';
import { look } from './looks.js';

describePanel(
  'invitations',
  (panel) => {
    /** Invites by the API; answers the path of the link. */
    const invite = async (email: string, organization = panel.acme) => {
      const path = `${organization.path}/invitations`;
      const input = { email, name: 'Somebody', role: 'viewer' };
      const { status, body } = await panel.ada.client.post(path, input);
      expect(status).toBe(201);
      return `/invitation#token=${body.token}`;
    };

    it('go by mail, and are shown once to be handed over', async () => {
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/users`);
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Invite' }).click();
      const form = page.getByRole('dialog', { name: 'Invite somebody' });
      await form.getByLabel('E-mail').fill('niko@example.com');
      await form.getByLabel('Name').fill('Niko New');
      await pick(form, 'Role', 'Auditor');
      await form.getByRole('button', { name: 'Invite' }).click();
      const dialog = page.getByRole('dialog', { name: 'Invitation sent' });
      const shown = await dialog.getByLabel('Link of the invitation').innerText();
      const [, token = ''] = shown.split('#token=');
      // The mailed link proves whose e-mail it is, this one does not: it is another.
      expect(tokenIn(await panel.mails.take('niko@example.com'))).not.toBe(token);
      await look(page, 'invitation', '[role=dialog]');
      await dialog.getByRole('button', { name: 'Copy link' }).click();
      await dialog.getByText('The link is on the clipboard.').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(shown);
      await dialog.getByRole('button', { name: 'Done' }).click();
      await dialog.waitFor({ state: 'hidden' });
      expect((await keptBy(page)).includes(token)).toBe(false);
      expect((await heapOf(page)).includes(token)).toBe(false);
      await page.getByRole('row', { name: /^Niko New niko@example.com Auditor Invited/ }).waitFor();
    });

    it('are accepted by somebody new, who sets name and password; the link then works no more', async () => {
      await invite('vita@example.com');
      const token = tokenIn(await panel.mails.take('vita@example.com'));
      const link = `/invitation#token=${token}`;
      const page = await panel.open(link);
      await page.getByRole('heading', { name: 'Accept the invitation' }).waitFor();
      await page.waitForURL((url) => url.hash === '');
      await look(page, 'invitation of somebody new');
      await page.getByLabel('Your name').fill('Vita Sackville');
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Accept and log in' }).click();
      await page.getByRole('button', { name: 'Organization: Acme' }).waitFor();
      await page.getByRole('button', { name: 'Account of Vita Sackville' }).waitFor();
      await page.goBack();
      expect(page.url()).not.toContain(token);

      const other = await panel.open(link);
      await other.getByLabel('Your name').fill('Mallory');
      await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await other.getByRole('button', { name: 'Accept and log in' }).click();
      await other
        .getByRole('heading', { name: 'This invitation does not work any more' })
        .waitFor();
      await look(other, 'invitation that does not work');
    });

    it('are accepted by who is logged in, unless they are for somebody else', async () => {
      const globex = await panel.anOrganization('Globex');
      const ben = await panel.aPerson('Ben Both', panel.acme, 'viewer');
      const link = await invite(ben.email, globex);
      const page = await panel.openAs(ben, '/');
      await page.goto(link);
      await page.getByText(`You are logged in as ${ben.name} (${ben.email}).`).waitFor();
      await look(page, 'invitation of who is logged in');
      await page.getByRole('button', { name: `Accept as ${ben.name}` }).click();
      await page.getByRole('button', { name: 'Organization: Globex' }).waitFor();
      await choose(page, 'Organization: Globex', 'Acme Viewer');

      await page.goto(await invite('zoe@example.com', globex));
      await page.getByRole('button', { name: `Accept as ${ben.name}` }).click();
      await page.getByRole('alert').getByText('This invitation is for somebody else').waitFor();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Your name').waitFor();
    });

    it('are accepted after the login by who has an account and is logged out', async () => {
      const initech = await panel.anOrganization('Initech');
      const lea = await panel.aPerson('Lea Login', panel.acme, 'viewer');
      const page = await panel.open(await invite(lea.email, initech));
      await page.getByRole('button', { name: 'I have an account: log in' }).click();
      await logIn(page, lea);
      await page.getByRole('button', { name: `Accept as ${lea.name}` }).click();
      await page.getByRole('button', { name: 'Organization: Initech' }).waitFor();
    });

    it('do not work any more once they are sent again or revoked', async () => {
      const first = await invite('rita@example.com');
      const page = await panel.openAs(panel.ada, `${panel.acme.page}/users?search=rita`);
      const menu = 'Actions for Somebody';
      await choose(page, menu, 'Send invitation again');
      await page.getByRole('button', { name: 'Send again' }).click();
      const dialog = page.getByRole('dialog', { name: 'Invitation sent' });
      const link = await dialog.getByLabel('Link of the invitation').innerText();
      await dialog.getByRole('button', { name: 'Done' }).click();
      await expectVoid(first);
      await choose(page, menu, 'Revoke invitation');
      await page.getByRole('button', { name: 'Revoke invitation' }).click();
      await page.getByRole('heading', { name: 'No user matches' }).waitFor();
      await expectVoid(link.slice(link.indexOf('/invitation')));
    });

    async function expectVoid(link: string): Promise<void> {
      const page = await panel.open(link);
      await page.getByLabel('Your name').fill('Too Late');
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Accept and log in' }).click();
      await page.getByRole('heading', { name: 'This invitation does not work any more' }).waitFor();
    }
  },
  { hasMail: true, refusals: [/^(403|404|409) POST \/v1\/invitations\/accept$/] },
);
