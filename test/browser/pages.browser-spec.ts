import { beforeAll, expect, it } from '@jest/globals';
import { describePanel } from './browser.js';
import { look } from './looks.js';
import { addressOf, IN_ORGANIZATION, OUTSIDE, ROUTES } from './routes.js';

describePanel('pages', (panel) => {
  let parameters: Record<string, string>;

  beforeAll(async () => {
    const account = await panel.anAccount('Payroll import');
    await panel.anAccount('Salesforce user sync', panel.acme, 'owner');
    await panel.aPerson('Vera Viewer', panel.acme, 'viewer');
    const events = await panel.ada.client.get(
      `${panel.acme.path}/audit-events?action=service_account.created`,
    );
    parameters = {
      organizationId: panel.acme.id,
      serviceAccountId: account.id,
      eventId: events.body.data[0].id,
    };
  });

  it('finds the routes', () => {
    expect(ROUTES).toEqual(
      expect.arrayContaining(['/login', '/', `${IN_ORGANIZATION}/service-accounts`]),
    );
  });

  for (const route of ROUTES) {
    it(`${route} is accessible, in both themes, and fits a narrow screen`, async () => {
      const path = addressOf(route, parameters);
      const page = OUTSIDE.includes(route)
        ? await panel.open(path)
        : await panel.openAs(panel.ada, path);
      await look(page, route);
    });
  }
});
