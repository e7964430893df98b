import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../scripts/lint-migrations.mjs');

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The linter's answer to one migration. */
function lint(sql: string) {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-lint-'));
  folders.push(folder);
  mkdirSync(join(folder, '20300101000000_next'));
  writeFileSync(join(folder, '20300101000000_next/migration.sql'), sql);
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' });
  const rules = [...stderr.matchAll(/20300101000000_next, line (\d+): ([a-z-]+):/g)];
  return { status, found: rules.map(([, line, rule]) => `${line} ${rule}`) };
}

const NOTHING = { status: 0, found: [] };

describe('npm run lint:migrations', () => {
  it.each([
    [
      'a column that old rows and old servers have no value for',
      'adding-required-field',
      'ALTER TABLE keys ADD COLUMN note text NOT NULL;',
    ],
    [
      'an index that nobody can write beside',
      'require-concurrent-index-creation',
      'CREATE INDEX notes ON keys (name);',
    ],
    [
      'an index that no transaction can make',
      'ban-concurrent-index-creation-in-transaction',
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS notes ON keys (name); SELECT 1;',
    ],
    ['a rewrite', 'changing-column-type', 'ALTER TABLE keys ALTER COLUMN name TYPE varchar(9);'],
    [
      'a scan',
      'constraint-missing-not-valid',
      "ALTER TABLE keys ADD CONSTRAINT named CHECK (name <> '');",
    ],
    ['a column that goes', 'ban-drop-column', 'ALTER TABLE keys DROP COLUMN name;'],
    [
      'a column that is called otherwise',
      'renaming-column',
      'ALTER TABLE keys RENAME COLUMN name TO title;',
    ],
    ['a table that goes', 'ban-drop-table', 'DROP TABLE keys;'],
    ['a function that goes', 'takes-away', 'DROP FUNCTION "old"(integer);'],
    ['a right that goes', 'takes-away', 'REVOKE DELETE ON "keys" FROM claviger_app;'],
  ])('refuses %s', (_, rule, statement) => {
    const { status, found } = lint(`-- What for.\n${statement}\n`);
    expect(status).toBe(1);
    expect(found).toContain(`2 ${rule}`);
  });

  it('refuses what is no SQL', () => {
    expect(lint('ALTER TABLE keys ADDD COLUMN note text;').status).toBe(1);
  });

  it('takes what blocks nobody and takes nothing away', () => {
    expect(
      lint(`CREATE TABLE notes (id text PRIMARY KEY, body text NOT NULL);
        CREATE INDEX notes_body_idx ON notes (body);
        ALTER TABLE keys ADD COLUMN note text;
        ALTER TABLE keys ADD COLUMN size bigint NOT NULL DEFAULT 0;
        CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        REVOKE ALL ON FUNCTION one() FROM PUBLIC;`),
    ).toEqual(NOTHING);
  });

  it('takes what goes when it says since when nobody uses it', () => {
    expect(lint('-- contract: unused since 1.4.0\nDROP FUNCTION one();\n')).toEqual(NOTHING);
  });

  it('takes a statement that says which rule it breaks', () => {
    const sql = 'CREATE INDEX notes ON instance (uid);';
    expect(lint(`-- One row.\n-- squawk-ignore require-concurrent-index-creation\n${sql}`)).toEqual(
      NOTHING,
    );
  });

  it('finds nothing in the migrations that there are', () => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
