import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** More than any tool prints. */
const MAX_BUFFER = 256 * 1024 * 1024;

/**
 * Runs a tool to its end and answers what it printed. Its exit code says no more than that it has found something. Errors: it could not be
 * started, or a signal ended it.
 */
export async function runTool(
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<{ stdout: string; stderr: string }> {
  try {
    return await promisify(execFile)(command, args, { ...options, maxBuffer: MAX_BUFFER });
  } catch (error) {
    const failure = error as { code?: unknown; stdout: string; stderr: string };
    if (typeof failure.code === 'number') return failure;
    throw error;
  }
}
