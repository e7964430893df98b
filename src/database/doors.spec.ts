import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SRC = join(import.meta.dirname, '..');

/** Who may see all tenants, and why. Everybody else goes through `tenant()`. */
const MAY_USE_SYSTEM = [
  /^auth\//, // people and their sessions belong to no organization
  /^audit\//, // the chain `system`
  /^setup\//, // the first administrator
  /^organizations\/organizations\.service\.ts$/, // making, listing and suspending tenants
  /^invitations\/acceptance\.service\.ts$/, // a token tells the organization, a password is the person's
  /^signing-keys\//, // they sign for all tenants
  /^password-resets\//, // people and their passwords belong to no organization
  /^maintenance\//, // what has expired, of whatever organization
  /^database\//,
];

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .filter((file) => !file.startsWith('generated'))
  .map((file) => ({
    file: relative(SRC, join(SRC, file)),
    text: readFileSync(join(SRC, file), 'utf8'),
  }));

describe('the door system()', () => {
  it('is used by nobody but those who have a reason', () => {
    const users = sources.filter(({ text }) => /\.system\([^)]/.test(text)).map(({ file }) => file);
    expect(users.length).toBeGreaterThan(3);
    expect(users.filter((file) => !MAY_USE_SYSTEM.some((may) => may.test(file)))).toEqual([]);
  });
});

describe('raw statements outside Prisma', () => {
  it('are made by the gate, the credential check and the database itself alone', () => {
    const users = sources
      .filter(({ text }) => /database\s*\.raw\b|\.openConnection\(/.test(text))
      .map(({ file }) => file.split('/')[0]);
    expect([...new Set(users)].sort()).toEqual(['audit', 'auth', 'database']);
  });
});

describe('imports', () => {
  it('never name a controller, but for its module', () => {
    const importers = sources
      .filter(({ text }) => /from '.*\.controller\.js'/.test(text))
      .map(({ file }) => file);
    expect(importers.filter((file) => !file.endsWith('.module.ts'))).toEqual([]);
  });
});
