import { join } from 'node:path';
import config from '../../jest.config.js';

/** What `npm run test:browser` runs: apart from the rest, because it needs a browser and the built panel. */
export default {
  ...config,
  rootDir: join(import.meta.dirname, '../..'),
  testMatch: ['<rootDir>/test/browser/**/*.browser-spec.ts'],
  testTimeout: 120_000,
  maxWorkers: 2,
  globalSetup: '<rootDir>/test/browser/setup.js',
  globalTeardown: '<rootDir>/test/browser/teardown.js',
};
