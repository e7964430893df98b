import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonTools } from '../../scripts/python-tools.mjs';
import { narrow, type Schema } from './narrow.js';
import { runTool } from './run-tool.js';

const HERE = import.meta.dirname;
const DOCUMENT = readFileSync(join(HERE, '../../openapi.json'), 'utf8');
/** Whether the machine has Python, with what an environment of its own takes. */
export const hasPython = spawnSync('python3', ['-c', 'import ensurepip']).status === 0;

/** Any: it makes runs repeatable. */
const SEED = '20261130';

/** It makes texts and lists as long as they may be, and one longer, piece by piece: minutes for each that may be longer than this. */
const LONGEST: Readonly<Record<string, number>> = { maxLength: 1_024, maxItems: 20 };

/** What one run is to do. */
export interface Run {
  url: string;
  token: string;
  /** The organization that paths are about; without it, those that the run itself makes. */
  organizationId?: string;
  /** Only these operations. */
  include?: readonly string[];
  /** All but these. */
  exclude?: readonly string[];
  /** How many requests of each operation, or walks along links, are made up. */
  examples: number;
  /** Whether to walk along links, from what a request has made to what can be done with it, instead of asking for each operation. */
  followsLinks: boolean;
  /** Where its settings are put. */
  folder: string;
}

/** Runs Schemathesis, with all checks that make sense here, and answers what it printed. */
export async function schemathesis(run: Run): Promise<string> {
  const bin = pythonTools('contract', join(HERE, 'requirements.txt'));
  const document = join(run.folder, 'openapi.json');
  writeFileSync(document, documentOf(run));
  const settings = join(run.folder, 'schemathesis.toml');
  writeFileSync(settings, SETTINGS);
  const filters = [
    ...(run.include ?? []).flatMap((id) => ['--include-operation-id', id]),
    ...(run.exclude ?? []).flatMap((id) => ['--exclude-operation-id', id]),
  ];
  const what = run.followsLinks
    ? ['--phases', 'stateful', '--mode', 'positive']
    : ['--phases', 'examples,coverage,fuzzing'];
  const args = [
    ...['--config-file', settings, 'run', document, '--url', run.url],
    ...['--header', `Authorization: Bearer ${run.token}`],
    ...['--seed', SEED, '--max-examples', String(run.examples)],
    ...what,
    ...filters,
  ];
  const env = {
    PATH: process.env.PATH,
    NO_COLOR: '1',
    COLUMNS: '160',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stdout, stderr } = await runTool(join(bin, 'st'), args, { cwd: run.folder, env });
  return stdout + stderr;
}

const SETTINGS = `
hooks = "${join(HERE, 'hooks.py')}"

[checks]
# What a schema allows may still name a role that is not there, or a moment that is over.
positive_data_acceptance.enabled = false
# 431: headers of more than 16 KiB are refused before anybody looks at them.
negative_data_rejection.expected-statuses = [
  400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 431,
]

[[operations]]
# A file of lines: what is wrong with a line stands in the answer's line, and the file is accepted.
include-operation-id = "imports_users"
checks.negative_data_rejection.enabled = false
`;

/**
 * openapi.json with that organization as the only one, so that what is made up is about something that is there. For links what is sent
 * is narrowed to what can be made.
 */
function documentOf({ organizationId, followsLinks }: Run): string {
  const document = JSON.parse(DOCUMENT, (name, value) => {
    if (value?.in === 'path' && value.name === 'organizationId' && organizationId !== undefined) {
      return { ...value, schema: { type: 'string', enum: [organizationId] } };
    }
    return withoutLongest(name, value);
  });
  if (followsLinks) {
    for (const [name, schema] of Object.entries<Schema>(document.components.schemas)) {
      if (name.endsWith('Input')) narrow(schema);
    }
  }
  return JSON.stringify(document);
}

function withoutLongest(name: string, value: unknown): unknown {
  return (value as number) > (LONGEST[name] ?? Infinity) ? undefined : value;
}
