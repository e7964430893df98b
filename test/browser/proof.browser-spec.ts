import { PGlite } from '@electric-sql/pglite';
import { beforeAll, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { choose, describePanel, type Person, settled } from './browser.js';
import { look } from './looks.js';

/** As if everybody had logged in, and proved their password, a while ago. */
const LET_TIME_PASS =
  "UPDATE sessions SET authenticated_at = clock_timestamp() - interval '16 minutes'";

const WRONG = 'not the password at all';

describePanel(
  'What is dangerous',
  (panel) => {
    let ada: Person;
    let carl: Person;
    let ines: Person;
    let tess: Person;
    let enda: Person;
    let drafted: { id: string };

    beforeAll(async () => {
      const people = [];
      for (const name of ['Carl Cancels', 'Ines Uploads', 'Tess Tries', 'Enda Ends']) {
        people.push(await panel.aPerson(name, panel.acme, 'owner'));
      }
      [carl, ines, tess, enda] = people as [Person, Person, Person, Person];
      ada = panel.ada;
      drafted = await panel.anAccount('Drafted');
      // They log in before the time passes.
      for (const person of [ada, ...people]) {
        const page = await panel.openAs(person);
        await settled(page);
        await page.context().close();
      }
      await panel.restart(async (dataDirectory) => {
        const database = await PGlite.create(join(dataDirectory, 'pg'));
        await database.exec(LET_TIME_PASS);
        await database.close();
      });
    });

    const question = (page: Page) => page.getByRole('dialog', { name: 'Confirm it is you' });

    async function answer(dialog: Locator, password: string): Promise<void> {
      await dialog.getByLabel('Password', { exact: true }).fill(password);
      await dialog.getByRole('button', { name: 'Confirm' }).click();
    }

    async function beginDraft(page: Page, text: string): Promise<Locator> {
      await settled(page);
      await choose(page, 'Actions for Drafted', 'Edit');
      const description = page.getByLabel('Description');
      await description.fill(text);
      await page.getByRole('button', { name: 'Save' }).click();
      await question(page).waitFor();
      return description;
    }

    it('asks for the password once, says when it is wrong, and goes on with what was begun', async () => {
      const page = await panel.openAs(ada, `${panel.acme.page}/service-accounts`);
      await page.getByRole('button', { name: 'Create service account' }).first().click();
      await page.getByLabel('Name', { exact: true }).fill('Made after a proof');
      await page.getByRole('button', { name: 'Submit' }).click();
      await question(page).waitFor();
      await look(page, 'confirm it is you');
      await answer(question(page), WRONG);
      await question(page).getByText('This is not your password.').waitFor();
      expect(await question(page).getByRole('alert').count()).toBe(0);
      await answer(question(page), ada.password);
      await question(page).waitFor({ state: 'hidden' });
      const token = page.getByRole('dialog', { name: 'Copy the API token now' });
      await token.getByRole('button', { name: 'Got it' }).click();
      await token.waitFor({ state: 'hidden' });

      await choose(page, 'Actions for Made after a proof', 'Edit');
      await page.getByLabel('Description').fill('Without another question');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved Made after a proof').waitFor();
      expect(await question(page).count()).toBe(0);
    });

    it('is left undone when somebody would rather not, and their form stays as it was', async () => {
      const page = await panel.openAs(carl, `${panel.acme.page}/service-accounts/${drafted.id}`);
      const description = await beginDraft(page, 'Written by Carl');
      await question(page).getByRole('button', { name: 'Cancel' }).click();
      await question(page).waitFor({ state: 'hidden' });
      expect(await description.inputValue()).toBe('Written by Carl');
      expect(await page.getByRole('alert').count()).toBe(0);

      await page.getByRole('button', { name: 'Save' }).click();
      await question(page).waitFor();
      await page.locator('input[name=password]:focus').waitFor();
      await page.keyboard.press('Escape');
      await question(page).waitFor({ state: 'hidden' });
      expect(await description.inputValue()).toBe('Written by Carl');

      await page.getByRole('button', { name: 'Save' }).click();
      await answer(question(page), carl.password);
      await page.getByText('Saved Drafted').waitFor();
    });

    it('asks before a file is imported, too, and sends the whole file then', async () => {
      const page = await panel.openAs(ines, `${panel.acme.page}/users`);
      await settled(page);
      await page.getByRole('button', { name: 'Import' }).click();
      const dialog = page.getByRole('dialog', { name: 'Import users' });
      const rows = Array.from({ length: 200 }, (_, n) => `imported${n}@example.com,I,viewer`);
      const buffer = Buffer.from(`email,name,role\n${rows.join('\n')}\n`);
      const file = { name: 'users.csv', mimeType: 'text/csv', buffer };
      await dialog.locator('input[type=file]').setInputFiles(file);
      await dialog.getByRole('button', { name: 'Import' }).click();
      await answer(question(page), ines.password);
      await dialog.getByText('All rows are imported').waitFor();
      const client = await panel.logInAgain(ada);
      const { body } = await client.get(`${panel.acme.path}/users?search=imported199`);
      expect(body.data).toHaveLength(1);
    });

    it('has to wait after too many wrong passwords, and the question says how long', async () => {
      const page = await panel.openAs(tess, `${panel.acme.page}/service-accounts/${drafted.id}`);
      await beginDraft(page, 'Written by Tess');
      for (let count = 0; count < 5; count += 1) {
        const answered = page.waitForResponse('**/reauthenticate');
        await answer(question(page), `${WRONG} ${count}`);
        await answered;
      }
      await answer(question(page), tess.password);
      const notice = question(page).getByRole('alert');
      await notice.getByText('Too many passwords were tried', { exact: true }).waitFor();
      await notice.getByText(/^The wait is over at \d+:\d\d:\d\d/).waitFor();
    });

    it('goes on after another login when the session ends under the question', async () => {
      const page = await panel.openAs(enda, `${panel.acme.page}/service-accounts/${drafted.id}`);
      const description = await beginDraft(page, 'Written by Enda');
      const [cookie] = await page.context().cookies();
      const { status } = await fetch(`${panel.url}/v1/sessions/current`, {
        method: 'DELETE',
        headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: panel.url },
      });
      expect(status).toBe(204);
      await answer(question(page), enda.password);
      await question(page).waitFor({ state: 'hidden' });
      const login = page.getByRole('dialog', { name: 'Your session has ended' });
      await login.getByLabel('Password', { exact: true }).press('Escape');
      await login.waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Save' }).click();
      await login.getByLabel('Password', { exact: true }).fill(enda.password);
      await login.getByRole('button', { name: 'Log in' }).click();
      await login.waitFor({ state: 'hidden' });
      expect(await description.inputValue()).toBe('Written by Enda');
      await page.getByRole('button', { name: 'Save' }).click();
      // A login is a proof.
      await page.getByText('Saved Drafted').waitFor();
    });
  },
  { refusals: [/^401 (?:POST|PATCH) /, /^(?:403|429) POST .*\/reauthenticate$/] },
);
