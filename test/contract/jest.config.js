import { join } from 'node:path';
import config from '../../jest.config.js';

/** What `npm run test:contract` runs: openapi.json and the built server, as tools see them that nobody here wrote. */
export default {
  ...config,
  rootDir: join(import.meta.dirname, '../..'),
  testMatch: ['<rootDir>/test/contract/*.contract-spec.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 2,
  testTimeout: 3_600_000,
};
