import { availableParallelism } from 'node:os';

/** Unit specs stand beside the code in src/ and web/src/, end-to-end specs in test/. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testMatch: [
    '<rootDir>/src/**/*.spec.ts',
    '<rootDir>/web/src/**/*.spec.ts',
    '<rootDir>/test/**/*.e2e-spec.ts',
  ],
  testTimeout: 30_000,
  // Two on two cores, each begun anew when it has become large: what Jest keeps of every spec file slows the next ones down.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  workerIdleMemoryLimit: '1500MB',
  globalSetup: '<rootDir>/test/database-setup.js',
  globalTeardown: '<rootDir>/test/database-teardown.js',
  reporters: ['default', '<rootDir>/test/totals-reporter.js', '<rootDir>/test/secrets-reporter.js'],
};
