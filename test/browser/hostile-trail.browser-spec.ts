import { PGlite } from '@electric-sql/pglite';
import { expect, it } from '@jest/globals';
import { join } from 'node:path';
import { describePanel } from './browser.js';

/** What HTTP carries: markup that would run and ask another site, and 8-bit ANSI. */
const SENT =
  '<img src="https://evil.example/x" onerror="document.title=1"><b>bold</b>\u009b31mPLACE';
/**
 * What no header can have, so that it is put into the database: a right-to-left override, ANSI, NUL, a new line, a line separator, a tag
 * and half a character; as JSON has them.
 */
const PUT = '\\u202etxt.exe\\u001b[2J\\u0000\\r\\n\\u2028\\udb40\\udc41\\ud800';
const SHOWN = SENT.replace('\u009b', 'U+009B').replace(
  'PLACE',
  'U+202Etxt.exeU+001B[2JU+0000U+000DU+000AU+2028U+E0041U+D800',
);
const REPLACE = `
  ALTER TABLE audit_events DISABLE TRIGGER USER;
  UPDATE audit_events SET body = replace(body, 'PLACE', '${PUT}');
  ALTER TABLE audit_events ENABLE TRIGGER USER;
`;

describePanel('a trail with the user agent of somebody hostile', (panel) => {
  it('shows markup, control characters and overrides of direction as text that can be seen', async () => {
    const { token, id } = await panel.anAccount('Payroll import');
    const { status } = await panel.server.client
      .withToken(token)
      .get('/v1/me', { 'user-agent': SENT });
    expect(status).toBe(200);
    await panel.restart(async (dataDirectory) => {
      const database = await PGlite.create(join(dataDirectory, 'pg'));
      await database.exec(REPLACE);
      await database.close();
    });
    const page = await panel.openAs(panel.ada, `${panel.acme.page}/audit?actor=${id}`);
    await page.getByRole('link', { name: /\/v1\/me/ }).click();
    const details = page.getByRole('dialog');
    const shown = details.locator('bdi', { hasText: 'evil.example' });
    expect(await shown.textContent()).toBe(SHOWN);
    // Nothing of it has become a part of the page, and nothing unseen is anywhere in what is shown.
    expect(await details.locator('img, b').count()).toBe(0);
    expect(await details.innerText()).not.toMatch(/[^\P{C}\n\t]|[\u2028\u2029]/u);
    expect(await page.title()).not.toBe('1');
    // Its direction ends where it ends.
    const direction = await shown.evaluate(
      (element: any) => element.ownerDocument.defaultView.getComputedStyle(element).unicodeBidi,
    );
    expect(direction).toBe('isolate');
  });
});
