import { join } from 'node:path';
import config from '../../jest.config.js';

/** What `npm run test:upgrade` runs last: apart from the rest, because it needs the previous release (scripts/test-upgrade.mjs). */
export default {
  ...config,
  rootDir: join(import.meta.dirname, '../..'),
  testMatch: ['<rootDir>/test/upgrade/*.upgrade-spec.ts'],
  maxWorkers: 1,
  testTimeout: 60_000,
};
