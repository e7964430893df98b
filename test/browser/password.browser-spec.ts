import { expect, it } from '@jest/globals';
import { tokenIn } from '../smtp.js';
import { describePanel, logIn } from './browser.js';
import { look } from './looks.js';

const NEW = 'staple battery horse correct';

describePanel(
  'passwords',
  (panel) => {
    it('are set anew by the link of a mail, which ends all sessions and works once', async () => {
      const rosa = await panel.aPerson('Rosa Reset', panel.acme, 'viewer');
      await panel.mails.take(rosa.email); // Her invitation.
      const page = await panel.open('/login');
      await page.getByRole('link', { name: 'Forgot your password?' }).click();
      await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
      await page.getByLabel('E-mail').fill(rosa.email);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      await look(page, 'password reset requested');

      const token = tokenIn(await panel.mails.take(rosa.email));
      const link = `/password-reset#token=${token}`;
      await page.goto(link);
      await page.getByRole('heading', { name: 'Set a new password' }).waitFor();
      await page.waitForURL((url) => url.hash === '');
      await look(page, 'password reset by link');
      await page.getByLabel('New password').fill(NEW);
      await page.getByRole('button', { name: 'Set the password' }).click();
      await page.getByRole('heading', { name: 'Your password is set' }).waitFor();
      expect((await rosa.client.get('/v1/me')).status).toBe(401);
      await page.getByRole('link', { name: 'Log in' }).click();
      await logIn(page, rosa);
      await page.getByRole('alert').getByText('E-mail or password is wrong').waitFor();
      await logIn(page, { ...rosa, password: NEW });
      await page.getByRole('heading', { name: 'Service accounts', exact: true }).waitFor();

      const other = await panel.open(link);
      await other.getByLabel('New password').fill('mallory battery staple');
      await other.getByRole('button', { name: 'Set the password' }).click();
      await other.getByRole('heading', { name: 'This link does not work any more' }).waitFor();
      await look(other, 'password reset link that does not work');
    });

    it('that are tried too often have to wait, and the page says how long', async () => {
      const tess = await panel.aPerson('Tess Tries', panel.acme, 'viewer');
      const page = await panel.open('/login');
      for (let count = 0; count < 5; count += 1) {
        const answered = page.waitForResponse('**/v1/sessions');
        await logIn(page, { ...tess, password: `not the password ${count}` });
        await answered;
      }
      await page.getByRole('alert').getByText('E-mail or password is wrong').waitFor();
      await logIn(page, tess);
      const notice = page.getByRole('alert');
      await notice.getByText('Too many passwords were tried', { exact: true }).waitFor();
      await notice.getByText(/wait \d+ seconds before the next/).waitFor();
      await notice.getByText(/^The wait is over at \d+:\d\d:\d\d/).waitFor();
      await look(page, 'login that has to wait');
    });

    it('are asked for with the same answer whether somebody has an account or not', async () => {
      const page = await panel.open('/password-reset');
      await page.getByLabel('E-mail').fill('nobody@example.com');
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      expect(panel.mails.received.flatMap(({ to }) => to)).not.toContain('nobody@example.com');
    });

    it('are changed by the current one, which ends all sessions, this one too', async () => {
      const clio = await panel.aPerson('Clio Change', panel.acme, 'viewer');
      const elsewhere = await panel.logInAgain(clio);
      const page = await panel.openAs(clio, '/profile');
      await page.getByLabel('Current password').fill('not the password');
      await page.getByLabel('New password').fill(NEW);
      await page.getByRole('button', { name: 'Change the password' }).click();
      await page.getByRole('alert').waitFor();
      expect((await elsewhere.get('/v1/me')).status).toBe(200);
      await page.getByLabel('Current password').fill(clio.password);
      await page.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText('Your password is changed').waitFor();
      expect((await elsewhere.get('/v1/me')).status).toBe(401);
      await page.getByRole('heading', { name: 'Log in', exact: true }).waitFor();
      await logIn(page, { ...clio, password: NEW });
      await page.getByRole('heading', { name: 'Profile and sessions' }).waitFor();
    });
  },
  {
    hasMail: true,
    refusals: [
      /^4(01|29) POST \/v1\/sessions$/,
      /^404 POST \/v1\/password-resets\/confirm$/,
      /^4\d\d (PUT|POST) \/v1\/me\/password$/,
    ],
  },
);
