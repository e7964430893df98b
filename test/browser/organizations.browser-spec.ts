import { expect, it } from '@jest/globals';
import { choose, confirm, describePanel, expectRows, type Organization, pick } from './browser.js';
import { look } from './looks.js';

describePanel('organizations', (panel) => {
  const general = (organization: Organization) => `${organization.page}/general`;
  const read = async ({ path }: Organization) => (await panel.ada.client.get(path)).body;
  const statusOf = async (token: string) =>
    (await panel.server.client.withToken(token).get('/v1/me')).status;

  it('are switched between: nothing of the one before stays', async () => {
    const globex = await panel.anOrganization('Globex');
    await panel.anAccount('Payroll import');
    await panel.anAccount('Tax report', globex);
    const page = await panel.openAs(panel.ada, `${panel.acme.page}/service-accounts?search=pay`);
    await expectRows(page, 'Service accounts', ['Payroll import']);
    await choose(page, 'Organization: Acme', 'Globex Owner');
    await expectRows(page, 'Service accounts', ['Tax report']);
    expect(page.url()).toBe(`${panel.url}${globex.page}/service-accounts`);
    expect(await page.getByRole('searchbox').inputValue()).toBe('');
    await page.goto('/'); // The one that was looked at last.
    await page.getByRole('button', { name: 'Organization: Globex' }).waitFor();
  });

  it('are made by an administrator of the server', async () => {
    const page = await panel.openAs(panel.ada);
    await page.getByRole('button', { name: /^Organization: / }).click();
    await page.getByRole('menuitem', { name: 'New organization…' }).click();
    const form = page.getByRole('dialog', { name: 'New organization' });
    await form.getByLabel('Name').fill('Initech');
    await form.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Organization: Initech' }).waitFor();
    await page.getByRole('heading', { name: 'No service accounts yet' }).waitFor();
  });

  it('have a name and limits, which forms then follow', async () => {
    const hooli = await panel.anOrganization('Hooli');
    const page = await panel.openAs(panel.ada, general(hooli));
    const save = page.getByRole('button', { name: 'Save' });
    expect(await save.isDisabled()).toBe(true);
    await page.getByLabel('Name').fill('Hooli XYZ');
    await page.getByLabel('Keys per service account').fill('0');
    await save.click();
    await page.locator('[aria-invalid=true]').waitFor();
    expect((await read(hooli)).name).toBe('Hooli');
    await page.getByLabel('Keys per service account').fill('3');
    await pick(page, 'Longest life of a key', 'Days');
    await page.getByLabel('Longest life in days').fill('90');
    await page.getByLabel('Requests per minute').fill('600');
    await save.click();
    await page.getByText('The settings are saved').waitFor();
    await page.getByRole('button', { name: 'Organization: Hooli XYZ' }).waitFor();
    expect(await read(hooli)).toMatchObject({
      name: 'Hooli XYZ',
      settings: {
        maxKeysPerServiceAccount: 3,
        maxKeyLifetimeSeconds: 90 * 86_400,
        requestsPerMinute: 600,
      },
    });
    await page.getByRole('link', { name: 'Service accounts' }).click();
    await page.getByRole('button', { name: 'Create service account' }).first().click();
    await page.getByRole('combobox', { name: 'Key expires' }).click();
    await page.getByRole('option').first().waitFor();
    expect(await page.getByRole('option').allInnerTexts()).toEqual([
      'In 30 days',
      'In 90 days',
      'On a date…',
    ]);
  });

  it('are suspended and resumed', async () => {
    const umbrella = await panel.anOrganization('Umbrella');
    const { token } = await panel.anAccount('Payroll import', umbrella);
    const page = await panel.openAs(panel.ada, general(umbrella));
    await page.getByRole('button', { name: 'Suspend' }).click();
    await confirm(page, 'Suspend Umbrella?', 'Suspend');
    await page.getByText('This organization is suspended').waitFor();
    await look(page, 'suspended organization');
    expect(await statusOf(token)).toBe(401);
    await page.getByRole('button', { name: 'Resume' }).click();
    await confirm(page, 'Resume Umbrella?', 'Resume');
    await page.getByText('This organization is suspended').waitFor({ state: 'detached' });
    expect(await statusOf(token)).toBe(200);
  });

  it('are deleted once their name was typed', async () => {
    const cyberdyne = await panel.anOrganization('Cyberdyne');
    const { token } = await panel.anAccount('Payroll import', cyberdyne);
    const page = await panel.openAs(panel.ada, general(cyberdyne));
    await page.getByRole('button', { name: 'Delete…' }).click();
    const question = page.getByRole('alertdialog', { name: 'Delete Cyberdyne?' });
    const button = question.getByRole('button', { name: 'Delete the organization' });
    await question.getByRole('textbox').fill('Cyber');
    expect(await button.isDisabled()).toBe(true);
    await question.getByRole('textbox').fill('Cyberdyne');
    await button.click();
    await page.getByRole('button', { name: /^Organization: (?!Cyberdyne)/ }).waitFor();
    await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();
    expect(await statusOf(token)).toBe(401);
    await page.goto(cyberdyne.page);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  });
});
