import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  choose,
  confirm,
  describePanel,
  downloadedBy,
  expectRows,
  logIn,
  type Organization,
  type Person,
  pick,
} from './browser.js';
import { look } from './looks.js';

describePanel('users', (panel) => {
  let globex: Organization;
  let vera: Person;
  beforeAll(async () => {
    globex = await panel.anOrganization('Globex');
    vera = await panel.aPerson('Vera Viewer', globex, 'viewer');
  });
  const open = (query = '') => panel.openAs(panel.ada, `${globex.page}/users${query}`);
  const row = (page: Page, name: RegExp) => page.getByRole('row', { name });
  /** What the API answers her about the organization. */
  const mayRead = async () => (await vera.client.get(`${globex.path}/users`)).status;

  it('are searched, filtered and sorted, and that stands in the address', async () => {
    const page = await open();
    await expectRows(page, 'Users', ['Administrator You', vera.name]);
    await page.getByRole('button', { name: 'Name' }).click();
    await page.getByRole('button', { name: 'Name' }).click();
    await expectRows(page, 'Users', [vera.name, 'Administrator You']);
    await pick(page, 'Role', 'Owner');
    await expectRows(page, 'Users', ['Administrator You']);
    await page.reload();
    await expectRows(page, 'Users', ['Administrator You']);
    expect(new URL(page.url()).search).toBe('?sort=-name&role=owner');
    await page.getByRole('searchbox').fill('vera');
    await page.getByRole('heading', { name: 'No user matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await expectRows(page, 'Users', [vera.name, 'Administrator You']);
  });

  it('get another role, which holds at once', async () => {
    const page = await open();
    await choose(page, `Actions for ${vera.name}`, 'Change role');
    const form = page.getByRole('dialog', { name: `Role of ${vera.name}` });
    expect(await form.getByRole('button', { name: 'Change role' }).isDisabled()).toBe(true);
    await pick(form, 'Role', 'Auditor');
    await form.getByRole('button', { name: 'Change role' }).click();
    await row(page, /^Vera Viewer .* Auditor Active/).waitFor();
    expect((await vera.client.get(`${globex.path}/audit-events`)).status).toBe(200);
  });

  it('are disabled and enabled', async () => {
    const page = await open();
    expect(await mayRead()).toBe(200);
    await choose(page, `Actions for ${vera.name}`, 'Disable');
    await confirm(page, `Disable ${vera.name}?`, 'Disable');
    await row(page, /^Vera Viewer .* Disabled/).waitFor();
    expect(await mayRead()).toBe(401); // She has nothing else here.
    await choose(page, `Actions for ${vera.name}`, 'Enable');
    await confirm(page, `Enable ${vera.name}?`, 'Enable');
    await row(page, /^Vera Viewer .* Active/).waitFor();
    vera.client = await panel.logInAgain(vera); // Her sessions have ended.
    expect(await mayRead()).toBe(200);
  });

  it('cannot be done anything to by themselves', async () => {
    const page = await open();
    await row(page, /^Vera Viewer/).waitFor();
    expect(await page.getByRole('button', { name: /^Actions for/ }).count()).toBe(1);
  });

  it('are exported to a file, all or those that the filters leave', async () => {
    const page = await open('?role=owner');
    await page.getByRole('button', { name: 'Export' }).click();
    const dialog = page.getByRole('dialog', { name: 'Export users' });
    const few = await downloadedBy(page, () =>
      dialog.getByRole('button', { name: 'Download' }).click(),
    );
    expect(few.name).toBe('globex-users.csv');
    expect(few.text).toContain(panel.ada.email);
    expect(few.text).not.toContain(vera.email);
    await dialog.getByText('1 user,').waitFor();
    await pick(dialog, 'Format', 'NDJSON');
    await dialog.getByRole('checkbox').click();
    const all = await downloadedBy(page, () =>
      dialog.getByRole('button', { name: 'Download' }).click(),
    );
    const emails = all.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).email);
    expect(emails.sort()).toEqual([panel.ada.email, vera.email]);
  });

  it('are imported from a file, which is checked before', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import users' });
    const choose = (...rows: string[]) =>
      dialog.getByLabel('File', { exact: true }).setInputFiles({
        name: 'people.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(['email,name,role', ...rows, ''].join('\n')),
      });
    await choose('ines@example.com,Ines Imported,viewer', 'nobody,No Address,viewer');
    await dialog.getByRole('button', { name: 'Check only' }).click();
    await dialog.getByText('1 row would fail').waitFor();
    await dialog.getByRole('row', { name: /^3 nobody / }).waitFor();
    await look(page, 'import checked', '[role=dialog]');
    const failed = await downloadedBy(page, () =>
      dialog.getByRole('button', { name: 'Download the failed rows' }).click(),
    );
    expect(failed.text).toContain('"line":3');
    expect((await panel.ada.client.get(`${globex.path}/users?search=ines`)).body.data).toEqual([]);

    await choose('ines@example.com,Ines Imported,viewer');
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByText('All rows are imported').waitFor();
    await dialog.getByText('1 user created, 0 changed, 0 unchanged, 0 failed.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await row(page, /^Ines Imported ines@example.com Viewer Active/).waitFor();
  });

  it('are removed, and the organization is no more there for them', async () => {
    const page = await open();
    await choose(page, `Actions for ${vera.name}`, 'Remove');
    await confirm(page, `Remove ${vera.name} from the organization?`, 'Remove');
    await row(page, /^Vera Viewer/).waitFor({ state: 'detached' });
    expect(await mayRead()).toBe(404);
    const hers = await panel.open(globex.page);
    await logIn(hers, vera);
    await hers.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await hers.getByRole('link', { name: 'Go to your settings' }).click();
    await hers.getByRole('heading', { name: 'You are in no organization' }).waitFor();
    await look(hers, 'no organization');
  });
});
