import { join } from 'node:path';
import config from '../../jest.config.js';

/** What `npm run test:sdk` runs: apart from the rest, because it generates and compiles clients in four languages. */
export default {
  ...config,
  rootDir: join(import.meta.dirname, '../..'),
  testMatch: [
    '<rootDir>/test/sdk/**/*.sdk-spec.{ts,mjs}',
    '<rootDir>/sdk/typescript/test/*.spec.ts',
  ],
  testTimeout: 300_000,
};
