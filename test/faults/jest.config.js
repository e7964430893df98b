import { join } from 'node:path';
import config from '../../jest.config.js';

/** What `npm run test:faults` runs: apart from the rest, because it stops, freezes and kills a PostgreSQL and servers of its own. */
export default {
  ...config,
  rootDir: join(import.meta.dirname, '../..'),
  testMatch: ['<rootDir>/test/faults/*.fault-spec.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  // One after the other: they measure how soon something is answered.
  maxWorkers: 1,
  testTimeout: 1_800_000,
};
