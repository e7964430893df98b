// npm run lint:migrations [FOLDER]   finds in prisma/migrations (or in FOLDER, without exceptions) what would keep everybody
//                                    waiting while a server migrates, or break the release that still runs beside it.
// By squawk, with .squawk.toml, and by one rule of our own. Exits 1 and prints what it found; also when an exception in
// prisma/lint-baseline.json is not needed any more.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [given] = process.argv.slice(2);
const folder = given ?? join(root, 'prisma/migrations');
const baseline = given ? {} : readJson(join(root, 'prisma/lint-baseline.json'));

const files = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join(folder, entry.name, 'migration.sql'))
  .sort();
const findings = [...squawk(files), ...files.flatMap(takesAway)];
const isKnown = ({ migration, rule }) => baseline[migration]?.[rule] !== undefined;
const faults = findings
  .filter((finding) => !isKnown(finding))
  .map(({ migration, line, rule, message }) => `${migration}, line ${line}: ${rule}: ${message}`);
for (const [migration, rules] of Object.entries(baseline)) {
  for (const rule of Object.keys(rules)) {
    if (findings.some((found) => found.migration === migration && found.rule === rule)) continue;
    faults.push(`prisma/lint-baseline.json: ${migration} has no ${rule}; remove the exception`);
  }
}
if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error('See "Changes of the schema" in CONTRIBUTING.md.');
  process.exit(1);
}
console.log(`Can be applied while servers run: all ${files.length} migrations.`);

/** What squawk finds; `-- squawk-ignore RULE` before a statement excepts it. */
function squawk(paths) {
  const bin = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');
  const args = [bin, `--config=${join(root, '.squawk.toml')}`, '--reporter=json', ...paths];
  const { stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  let found;
  try {
    found = JSON.parse(stdout);
  } catch {
    throw new Error(`squawk failed: ${error?.message ?? stderr}`);
  }
  return found.map(({ file, line, rule_name: rule, message, help }) => ({
    migration: basename(dirname(file)),
    line: line + 1,
    rule,
    message: help ? `${message} ${help}` : message,
  }));
}

/**
 * Squawk knows of tables alone. A function, trigger, view, policy or right that goes is missed by the release before as
 * well: whoever takes one away says in a comment since which release nobody uses it.
 */
function takesAway(path) {
  const sql = readFileSync(path, 'utf8');
  if (/^-- contract: \S/m.test(sql)) return [];
  const gone =
    /^[ \t]*(DROP\s+(FUNCTION|PROCEDURE|VIEW|TRIGGER|POLICY|TYPE|SCHEMA)\b|REVOKE\b[^;]*\bFROM\s+claviger_app\b)/gim;
  return [...sql.matchAll(gone)].map((match) => ({
    migration: basename(dirname(path)),
    line: sql.slice(0, match.index).split('\n').length,
    rule: 'takes-away',
    message:
      'The last release may use it while this migration is applied. Take it away one release after nobody uses it, and say so: `-- contract: unused since 1.4.0`.',
  }));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
