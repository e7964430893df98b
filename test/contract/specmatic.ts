import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.js';

const JAR = join(import.meta.dirname, 'node_modules/specmatic/specmatic.jar');

/** Whether the machine has Java. */
export const hasJava = spawnSync('java', ['-version']).status === 0;

/** What came of it. */
export interface Result {
  tests: number;
  /** Each as the tool says it. */
  failures: string[];
}

/** Runs Specmatic's generative tests of a document against a server, as whoever the token belongs to. `folder`: for its files. */
export async function specmatic(run: {
  url: string;
  token: string;
  document: object;
  folder: string;
}): Promise<Result> {
  const settings = {
    version: 2,
    contracts: [{ provides: [{ specs: ['openapi.json'], baseUrl: run.url }] }],
    test: { resiliencyTests: { enable: 'all' }, timeoutInMilliseconds: 30_000, parallelism: '4' },
  };
  writeFileSync(join(run.folder, 'openapi.json'), JSON.stringify(run.document));
  writeFileSync(join(run.folder, 'specmatic.json'), JSON.stringify(settings));
  // It takes a token from a variable with the name of the security scheme.
  const env = { PATH: process.env.PATH, bearer: run.token, SPECMATIC_DISABLE_TELEMETRY: 'true' };
  const { stdout, stderr } = await runTool('java', ['-jar', JAR, 'test'], { cwd: run.folder, env });
  const output = stdout + stderr;
  const counts = /^Tests run: (\d+), Successes: \d+, Failures: (\d+), WIP: 0, Errors: 0$/m.exec(
    output,
  );
  if (counts === null) throw new Error(output.slice(-5_000));
  const failures = failuresIn(output);
  if (failures.length !== Number(counts[2])) throw new Error(output.slice(-5_000));
  return { tests: Number(counts[1]), failures };
}

/** Out of the summary at its end: `"+ve  Scenario: GET /path -> 200 with ... FAILED"`, and why. */
function failuresIn(output: string): string[] {
  const summary = output.slice(output.lastIndexOf('Unsuccessful Scenarios'));
  return summary
    .split(/\n(?=\s*"[+-]ve {2}Scenario: )/)
    .filter((part) => part.includes(' FAILED"'));
}
