import { Injectable, Logger, StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { StillAllowed } from '../auth/still-allowed.js';
import { DatabaseService, DatabaseUnavailableError } from '../database/database.service.js';
import { AnswerCutError, type LongAnswer, LongAnswers } from '../http/long-answers.js';
import { isInternal, problemFrom } from '../http/problem-from.js';
import { Problem } from '../http/problem.js';
import { validated } from '../http/validation.js';
import {
  type BatchContext,
  failure,
  importBatch,
  MemberRacedError,
  type ValidRow,
} from './batch.js';
import {
  type ImportQuery,
  type ImportSummary,
  type ImportTotals,
  type RowResult,
  UserImportRow,
} from './imports.dto.js';
import { checkFile, type ImportFormat, type Row, rowsOf } from './rows.js';
import { receive, type Upload } from './upload.js';

/** Rows done in one transaction. */
const BATCH_ROWS = 100;
const MAX_EMAIL_LENGTH = 254;

/** One import under way. */
interface Job {
  request: FastifyRequest;
  organizationId: string;
  validateOnly: boolean;
  format: ImportFormat;
  upload: Upload;
  totals: ImportTotals;
}

/** Users from a file: received whole, looked through, then worked through while the answer is read. */
@Injectable()
export class ImportsService {
  private readonly logger = new Logger('ImportsService');

  constructor(
    private readonly database: DatabaseService,
    private readonly answers: LongAnswers,
    private readonly stillAllowed: StillAllowed,
  ) {}

  /**
   * Creates and updates the users in a file; the answer is a line for each row and a last one with the totals. Nothing has
   * happened when it fails. Errors: 400 naming the line, 408, 413, 415, 429 `too_many_running`, 503 `storage_unavailable`.
   */
  async users(
    request: FastifyRequest,
    organizationId: string,
    { validateOnly = false }: ImportQuery,
  ): Promise<StreamableFile> {
    const format = formatOf(request);
    const answer = this.answers.begin(request, organizationId);
    try {
      const upload = await receive(request.body as IncomingMessage);
      answer.onEnd(() => void upload.close());
      await checkFile(format, upload.read());
      const totals = { rows: 0, created: 0, updated: 0, unchanged: 0, failed: 0 };
      const job = { request, organizationId, validateOnly, format, upload, totals };
      return this.answerOf(job, answer);
    } catch (error) {
      answer.end();
      throw error;
    }
  }

  private answerOf(job: Job, answer: LongAnswer): StreamableFile {
    const stream = answer.stream((signal) => this.lines(job, signal));
    return new StreamableFile(stream, { type: 'application/x-ndjson' });
  }

  /** Runs only when the answer is being sent, so after the request is on the trail. */
  private async *lines(job: Job, signal: AbortSignal): AsyncGenerator<string, void> {
    const progress = { actor: job.request.actor! };
    let reason: string | undefined = 'client_gone';
    try {
      for await (const results of this.results(job, signal, progress)) {
        for (const { status } of results) job.totals[status] += 1;
        job.totals.rows += results.length;
        yield results.map((result) => `${JSON.stringify(result)}\n`).join('');
      }
      reason = undefined;
    } catch (error) {
      // The answer can still say how far it went, which is more than a broken connection would.
      reason = this.reasonOf(error);
    } finally {
      // The server, when it stops, ends an answer that nobody takes as a client does that goes away.
      if (signal.aborted && reason === 'client_gone') reason = 'shutting_down';
      await this.note(job, progress.actor, reason);
    }
    yield `${JSON.stringify(summaryOf(job, reason))}\n`;
  }

  private async *results(job: Job, signal: AbortSignal, progress: { actor: Actor }) {
    for await (const rows of rowsOf(job.format, job.upload.read())) {
      for (const batch of batchesOf(rows)) {
        if (signal.aborted) throw new AnswerCutError('shutting_down');
        // A key revoked meanwhile does no further batch; a role changed meanwhile counts.
        progress.actor = await this.stillAllowed.check(job.request);
        yield await this.work(job, progress.actor, batch);
      }
    }
  }

  /** The results of a batch, in its order. */
  private async work(job: Job, actor: Actor, batch: CheckedRow[]): Promise<RowResult[]> {
    const { organizationId, validateOnly } = job;
    const valid = batch.filter((row) => 'row' in row);
    const done =
      valid.length === 0 ? [] : await this.commit({ actor, organizationId, validateOnly }, valid);
    const byLine = new Map(done.map((result) => [result.line, result]));
    return batch.map((row) => ('row' in row ? byLine.get(row.line)! : row));
  }

  /**
   * One transaction; when a row makes it fail, one for each row, so that only that one fails. A single row that lost a race
   * is done again, once: it meets the member then.
   */
  private async commit(
    context: BatchContext,
    rows: ValidRow[],
    isAgain = false,
  ): Promise<RowResult[]> {
    try {
      return await this.database.tenant(context.organizationId, (tx) =>
        importBatch(tx, context, rows),
      );
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error;
      const isSingle = rows.length === 1;
      if (!isSingle || (error instanceof MemberRacedError && !isAgain)) {
        const results = [];
        for (const row of rows) results.push(...(await this.commit(context, [row], isSingle)));
        return results;
      }
      const problem = problemFrom(error);
      if (isInternal(problem)) this.logger.error('a row failed', (error as Error).stack);
      return rows.map(({ line, email }) => ({ line, email, ...failure(problem) }));
    }
  }

  private reasonOf(error: unknown): string {
    if (error instanceof AnswerCutError) return error.reason;
    const problem = problemFrom(error);
    if (isInternal(problem)) this.logger.error('an import failed', (error as Error).stack);
    return problem.code;
  }

  /** What is not on the trail is not called complete: that fails, while an early end is only logged. */
  private async note(job: Job, actor: Actor, reason: string | undefined): Promise<void> {
    const { organizationId, validateOnly, totals, format } = job;
    if (validateOnly) return;
    const noted = this.database.tenant(organizationId, (tx) => {
      record(tx, actor, 'users.imported', {
        organizationId,
        targets: [],
        details: { ...totals, format, complete: reason === undefined },
        ...(reason === undefined ? {} : { outcome: 'error', reason }),
      });
      return Promise.resolve();
    });
    if (reason === undefined) await noted;
    else await noted.catch((error: Error) => this.logger.error(error.message));
  }
}

/** A row that can be worked on, or the result of one that cannot. */
type CheckedRow = ValidRow | RowResult;

function formatOf({ body, headers }: FastifyRequest): ImportFormat {
  // A request without a body says nothing either.
  if (body === undefined || headers['content-type'] === undefined) {
    throw new Problem(
      415,
      'unsupported_media_type',
      'The body must be text/csv or application/x-ndjson, in UTF-8.',
    );
  }
  return /^text\/csv/i.test(headers['content-type']) ? 'csv' : 'ndjson';
}

/** At most so many rows as one transaction takes, and no e-mail twice: the second row meets what the first one made. */
function* batchesOf(rows: Row[]): Generator<CheckedRow[]> {
  let batch: CheckedRow[] = [];
  let emails = new Set<string>();
  for (const row of rows) {
    const checked = checkedRow(row);
    const email = 'row' in checked ? checked.email : undefined;
    if (batch.length === BATCH_ROWS || (email !== undefined && emails.has(email))) {
      yield batch;
      batch = [];
      emails = new Set();
    }
    batch.push(checked);
    if (email !== undefined) emails.add(email);
  }
  if (batch.length > 0) yield batch;
}

function checkedRow({ line, value, faults }: Row): CheckedRow {
  const email = emailOf(value);
  if (faults !== undefined) return { line, email, status: 'failed', userId: null, errors: faults };
  try {
    const row = validated(UserImportRow, value);
    // As the database will give them back: -0 is 0 there.
    if (row.attributes !== undefined) row.attributes = plain(row.attributes);
    return { line, email: row.email.toLowerCase(), row };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { line, email, ...failure(error) };
  }
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function emailOf(value: unknown): string | null {
  const email = (value as { email?: unknown } | null | undefined)?.email;
  return typeof email === 'string' ? email.slice(0, MAX_EMAIL_LENGTH) : null;
}

function summaryOf({ totals, validateOnly }: Job, reason: string | undefined): ImportSummary {
  const ending = reason === undefined ? { complete: true } : { complete: false, reason };
  return { totals, validateOnly, ...ending };
}
