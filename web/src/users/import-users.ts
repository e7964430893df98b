import { ndjson, ProblemError } from '@claviger/sdk';
import { withProof } from '../api/proof';

/** What became of a row of a file. */
export interface ImportedRow {
  /** The line on which the row begins, from 1. */
  line: number;
  email: string | null;
  status: 'created' | 'updated' | 'unchanged' | 'failed';
  errors: { pointer: string; detail: string }[];
}

/** The last line of an answer. */
export interface ImportSummary {
  totals: Record<'rows' | 'created' | 'updated' | 'unchanged' | 'failed', number>;
  validateOnly: boolean;
  /** False when the work ended early; the rows that were answered are done. */
  complete: boolean;
  reason?: string;
}

/** What a file is made of. */
export type ImportFormat = 'text/csv' | 'application/x-ndjson';

/** What a file is made of, by the end of its name: JSON lines, or else CSV. */
export function formatOfFile({ name }: File): ImportFormat {
  return /\.(ndjson|jsonl)$/i.test(name) ? 'application/x-ndjson' : 'text/csv';
}

/**
 * Imports users from a file, or only checks it, and yields the answer as it comes. Not by the client of the API, which
 * sends CSV alone. Errors: ProblemError before anything was done; what `fetch` throws when the connection breaks.
 */
export async function* importUsers(
  organizationId: string,
  file: File,
  { validateOnly, signal }: { validateOnly: boolean; signal: AbortSignal },
): AsyncGenerator<ImportedRow | ImportSummary, void> {
  const path = `/v1/organizations/${encodeURIComponent(organizationId)}/users/import`;
  const response = await withProof(() =>
    fetch(`${path}?validateOnly=${validateOnly}`, {
      method: 'POST',
      headers: { 'Content-Type': formatOfFile(file) },
      body: file,
      signal,
    }),
  );
  if (!response.ok || !response.body) throw await problemOf(response);
  yield* ndjson<ImportedRow | ImportSummary>(response.body);
}

async function problemOf(response: Response): Promise<ProblemError> {
  const { status, headers } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const problem = body as ProblemError['problem'];
  const detail = problem?.detail ?? `The answer was ${status}.`;
  return new ProblemError(status, problem?.code ?? 'unknown', detail, problem, headers);
}

/** How many lines a file has, without having all of it in memory. */
export async function countLines(file: File): Promise<number> {
  const NEWLINE = 10;
  const reader = file.stream().getReader();
  let lines = 1;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return lines;
    for (const byte of value) if (byte === NEWLINE) lines += 1;
  }
}
