import { Injectable, Logger, StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AuditExport } from '../audit/audit-export.js';
import { SYSTEM_CHAIN } from '../audit/event.js';
import type { Actor } from '../auth/actor.js';
import { StillAllowed } from '../auth/still-allowed.js';
import { DatabaseService } from '../database/database.service.js';
import { AnswerCutError, LongAnswers } from '../http/long-answers.js';
import { CursorCodec, cursorScope } from '../http/pagination.js';
import { problemFrom } from '../http/problem-from.js';
import { cellsBy } from './columns.js';
import { csvLines } from './csv.js';
import { type ExportFormat, MEDIA_TYPES, negotiate } from './export-format.js';
import type {
  AuditEventsExportQuery,
  ExportOptions,
  KeysExportQuery,
  ServiceAccountsExportQuery,
  UsersExportQuery,
} from './exports.dto.js';
import {
  auditEventsSource,
  keysSource,
  type Position,
  serviceAccountsSource,
  type Source,
  usersSource,
} from './sources.js';

/** Rows read in one transaction. */
const PAGE_ROWS = 500;
/** Rows written at once; an export that is cut ends between two pieces. */
const PIECE_ROWS = 25;

/** One export under way. */
interface Job {
  request: FastifyRequest;
  source: Source;
  format: ExportFormat;
  options: ExportOptions;
  after: Position | undefined;
  cursorOf: (position: Position) => string;
}

/** Downloads of whole lists: read page by page, written as they are read, noted on the trail at their end. */
@Injectable()
export class ExportsService {
  private readonly logger = new Logger('ExportsService');

  constructor(
    private readonly database: DatabaseService,
    private readonly audit: AuditExport,
    private readonly cursors: CursorCodec,
    private readonly answers: LongAnswers,
    private readonly stillAllowed: StillAllowed,
  ) {}

  /** The users of an organization. Errors: 400 for the cursor, 406, 429 `too_many_running`. */
  users(request: FastifyRequest, organizationId: string, query: UsersExportQuery): StreamableFile {
    return this.export(request, usersSource(this.database, organizationId, query), query);
  }

  /** The service accounts of an organization. Errors: as {@link users}. */
  serviceAccounts(
    request: FastifyRequest,
    organizationId: string,
    query: ServiceAccountsExportQuery,
  ): StreamableFile {
    return this.export(request, serviceAccountsSource(this.database, organizationId, query), query);
  }

  /** The keys of an organization, without their tokens. Errors: as {@link users}. */
  keys(request: FastifyRequest, organizationId: string, query: KeysExportQuery): StreamableFile {
    return this.export(request, keysSource(this.database, organizationId, query), query);
  }

  /** The trail of an organization, or (for `null`) of the instance. Errors: as {@link users}. */
  auditEvents(
    request: FastifyRequest,
    organizationId: string | null,
    query: AuditEventsExportQuery,
  ): StreamableFile {
    return this.export(request, auditEventsSource(this.audit, organizationId, query), query);
  }

  private export(request: FastifyRequest, source: Source, options: ExportOptions): StreamableFile {
    const format = negotiate(request.headers.accept, options.format);
    const owner = source.organizationId ?? SYSTEM_CHAIN;
    const scope = cursorScope(owner, `export:${source.name}`, source.filters);
    const after =
      options.after === undefined ? undefined : this.cursors.decode(scope, options.after);
    const cursorOf = (position: Position) => this.cursors.encode(scope, position);
    const job = { request, source, format, options, after, cursorOf };
    const answer = this.answers.begin(request, owner);
    const day = new Date().toISOString().slice(0, 10);
    return new StreamableFile(
      answer.stream((signal) => this.pieces(job, signal)),
      {
        type: contentTypeOf(job),
        disposition: `attachment; filename="${source.name}-${day}.${format}"`,
      },
    );
  }

  /** Runs only when the answer is being sent, so after the request is on the trail. */
  private async *pieces(job: Job, signal: AbortSignal): AsyncGenerator<string, void> {
    const progress = { rows: 0, actor: job.request.actor! };
    let ending = 'client_gone';
    try {
      if (job.format === 'csv' && job.after === undefined) yield csvLines([headerOf(job)]);
      for await (const rows of this.rows(job, progress)) {
        if (signal.aborted) throw new AnswerCutError('shutting_down');
        progress.rows += rows.length;
        yield textOf(job, rows);
      }
      ending = 'completed';
    } catch (error) {
      ending = error instanceof AnswerCutError ? error.reason : problemFrom(error).code;
      throw error;
    } finally {
      await this.note(
        job,
        signal.aborted && ending === 'client_gone' ? 'shutting_down' : ending,
        progress,
      );
    }
  }

  private async *rows(job: Job, progress: { actor: Actor }) {
    const read = job.source.open(job.after);
    let left = job.options.limit ?? Infinity;
    for (let hasMore = true; hasMore && left > 0;) {
      // A key revoked meanwhile gets no further page.
      progress.actor = await this.stillAllowed.check(job.request);
      const page = await read(Math.min(PAGE_ROWS, left));
      // A piece of nothing: between two pieces an export can be ended, also one that looks for what is rare.
      if (page.rows.length === 0) yield [];
      for (let start = 0; start < page.rows.length; start += PIECE_ROWS) {
        yield page.rows.slice(start, start + PIECE_ROWS);
      }
      left -= page.rows.length;
      hasMore = page.hasMore;
    }
  }

  /** What has not come onto the trail has not been completed, so that fails; an end that failed anyway is only logged. */
  private async note(
    { source, format }: Job,
    ending: string,
    { rows, actor }: { rows: number; actor: Actor },
  ): Promise<void> {
    const isComplete = ending === 'completed';
    const noted = this.audit.note(actor, isComplete ? 'export.completed' : 'export.aborted', {
      organizationId: source.organizationId,
      targets: [],
      details: { export: source.name, rows, filter: source.filters, format },
      ...(isComplete ? {} : { outcome: 'error', reason: ending }),
    });
    if (isComplete) await noted;
    else await noted.catch((error: Error) => this.logger.error(error.message));
  }
}

function contentTypeOf({ format, after }: Job): string {
  const header = `; header=${after === undefined ? 'present' : 'absent'}`;
  return `${MEDIA_TYPES[format]}${format === 'csv' ? `; charset=utf-8${header}` : ''}`;
}

function headerOf({ source, options }: Job): string[] {
  return [...Object.keys(source.columns), ...(options.cursors ? ['cursor'] : [])];
}

function textOf(job: Job, rows: { item: object; position: Position }[]): string {
  const { source, format, options, cursorOf } = job;
  if (format === 'ndjson') {
    const lines = rows.map(({ item, position }) =>
      JSON.stringify(options.cursors ? { ...item, cursor: cursorOf(position) } : item),
    );
    return lines.map((line) => `${line}\n`).join('');
  }
  const cellsOf = cellsBy(source.columns);
  return csvLines(
    rows.map(({ item, position }) => [
      ...cellsOf(item),
      ...(options.cursors ? [cursorOf(position)] : []),
    ]),
  );
}
