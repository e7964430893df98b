import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import ts from 'typescript';

/**
 * docs/security-cases.md from test/cases.json: what the server promises under abuse and faults, and which tests show it. With --check it
 * writes nothing, and fails where a case has no test, a named test is not there (any more), or the document is stale. Either way it
 * fails where docs/security.md, which is written by hand, names a test that is not there.
 */
const TABLE = 'test/cases.json';
const DOCUMENT = 'docs/security-cases.md';
const BY_HAND = 'docs/security.md';
/** A link to a file of tests, and the end of a test's name where one follows in quotes. */
const NAMED = /\]\(\.\.\/((?:src|test)\/[^)]+)\)(?: "([^"]+)")?/g;
/** Those that run only where they can have names like `onPostgresIt`, or are chosen where they stand. */
const SUITE = /^describe/;
const TEST = /^(?:it|test)(?:[A-Z]|$)|It$/;
const NUMBERS = 54;

/** The full names of the tests of a file, as they stand in it: those of `each` with their placeholders. Skipped ones are none. */
function testsIn(file) {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const names = new Set();
  const visit = (node, path) => {
    const call = ts.isCallExpression(node) ? namedCall(node) : undefined;
    if (call?.isSkipped) return;
    const here = call === undefined ? path : [...path, call.title];
    if (call?.isTest) names.add(here.join(' › '));
    ts.forEachChild(node, (child) => visit(child, here));
  };
  visit(source, []);
  return names;
}

/** What a call of `describe`, `it`, `it.each(…)` and the like names; undefined for any other call. */
function namedCall(node) {
  const [title, work] = node.arguments;
  const isTitle =
    title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title));
  if (!isTitle || work === undefined || !ts.isFunctionLike(work)) return undefined;
  const { name, isSkipped } = calleeOf(node.expression);
  const isTest = TEST.test(name);
  if (!isTest && !SUITE.test(name)) return undefined;
  const text = ts.isTemplateExpression(title) ? title.getText().slice(1, -1) : title.text;
  return { title: text, isTest, isSkipped };
}

/** The `it` of `it.each(rows)` and of `(isHere ? it : it.skip)`, and whether it never runs. */
function calleeOf(expression) {
  let [callee, isSkipped] = [expression, false];
  for (;;) {
    if (ts.isIdentifier(callee)) return { name: callee.text, isSkipped };
    if (ts.isParenthesizedExpression(callee)) callee = callee.expression;
    else if (ts.isConditionalExpression(callee)) {
      const { whenTrue, whenFalse } = callee;
      callee = ts.isIdentifier(whenTrue) ? whenTrue : whenFalse;
    } else if (ts.isPropertyAccessExpression(callee)) {
      isSkipped ||= ['skip', 'todo', 'failing'].includes(callee.name.text);
      callee = callee.expression;
    } else if (ts.isCallExpression(callee)) callee = callee.expression;
    else return { name: '', isSkipped };
  }
}

/** What is wrong with the table, a line each. */
function faultsOf(groups) {
  const cases = groups.flatMap((group) => group.cases);
  const faults = [];
  for (let number = 1; number <= NUMBERS; number += 1) {
    if (cases[number - 1]?.number !== number) faults.push(`case ${number} is not in its place`);
  }
  if (cases.length !== NUMBERS) faults.push(`there are ${cases.length} cases, not ${NUMBERS}`);
  for (const { number, tests } of cases) {
    const named = Object.entries(tests);
    if (named.flatMap(([, names]) => names).length === 0) faults.push(`case ${number} has no test`);
    for (const [file, names] of named) {
      const missing = names.filter((name) => knownTests(file)?.has(name) !== true);
      faults.push(
        ...missing.map((name) => `case ${number}: there is no test "${name}" in ${file}`),
      );
    }
  }
  return faults;
}

const known = new Map();

/** The tests of a file, read once; undefined when there is no such file. */
function knownTests(file) {
  if (!known.has(file)) known.set(file, existsSync(file) ? testsIn(file) : undefined);
  return known.get(file);
}

/** What the document that is written by hand names and is not there. */
function faultsByHand() {
  return [...readFileSync(BY_HAND, 'utf8').matchAll(NAMED)].flatMap(([, file, end]) => {
    const tests = knownTests(file);
    if (tests === undefined) return [`${BY_HAND}: there is no ${file}`];
    if (end === undefined || [...tests].some((name) => ` › ${name}`.endsWith(` › ${end}`)))
      return [];
    return [`${BY_HAND}: there is no test "${end}" in ${file}`];
  });
}

const escaped = (text) => text.replace(/[|<>_*]/g, (one) => `\\${one}`);

function linesOf({ number, text, open, tests }) {
  const lines = [`${number}. ${text}`];
  if (open !== undefined) lines.push(`   **Not shown yet:** ${open}`);
  for (const [file, names] of Object.entries(tests)) {
    lines.push(`   - [${basename(file)}](../${file})`);
    lines.push(...names.map((name) => `     - ${escaped(name)}`));
  }
  return lines;
}

function documentOf(groups) {
  const lines = [
    '# What abuse and faults get, and the tests that show it',
    '',
    'Made by `npm run cases` from `test/cases.json`; `npm test` fails when a case has no test, or when a test named here is gone.',
    'Names of tests that run with several values have placeholders (`%s`). In `test/faults` are those that stop, freeze and kill',
    'PostgreSQL and the server (`npm run test:faults`), in `test/browser` those of the panel (`npm run test:browser`).',
  ];
  for (const { title, cases } of groups)
    lines.push('', `## ${title}`, '', ...cases.flatMap(linesOf));
  return `${lines.join('\n')}\n`;
}

const { groups } = JSON.parse(readFileSync(TABLE, 'utf8'));
const faults = [...faultsOf(groups), ...faultsByHand()];
const text = documentOf(groups);
if (!process.argv.includes('--check')) writeFileSync(DOCUMENT, text);
else if (!existsSync(DOCUMENT) || readFileSync(DOCUMENT, 'utf8') !== text) {
  faults.push(`${DOCUMENT} is stale: npm run cases`);
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
