import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, ApiResponse, IntersectionType, OmitType } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { AuditEventsQuery } from '../audit/audit.dto.js';
import { CURSOR_PATTERN, MAX_CURSOR_LENGTH } from '../http/pagination.js';
import { BooleanParam, EnumParam, IntegerParam, Optional } from '../http/validators.js';
import { KeysQuery } from '../keys/keys.dto.js';
import { ServiceAccountsQuery } from '../service-accounts/service-accounts.dto.js';
import { UsersQuery } from '../users/users.dto.js';
import { EXPORT_FORMATS, type ExportFormat } from './export-format.js';

/** What all exports can be told. */
export class ExportOptions {
  @EnumParam(EXPORT_FORMATS, {
    description: 'How rows are written; it decides over the header `Accept`. NDJSON by default.',
  })
  format?: ExportFormat;

  @BooleanParam({
    description:
      'Adds to every row its `cursor`, the last column of CSV: `after` continues behind it. The text so far and the text of the continuation are one export.',
  })
  cursors?: boolean;

  @ApiPropertyOptional({
    description:
      'The `cursor` of the last row received, with the same filters and sort. CSV then has no header line.',
    maxLength: MAX_CURSOR_LENGTH,
    pattern: CURSOR_PATTERN,
  })
  @Optional()
  @IsString()
  @MaxLength(MAX_CURSOR_LENGTH)
  after?: string;

  @IntegerParam({
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    description: 'How many rows at most; all when absent.',
  })
  limit?: number;
}

/** Filters and order of the list of users, and the options of exports. */
export class UsersExportQuery extends IntersectionType(
  OmitType(UsersQuery, ['limit', 'after'] as const),
  ExportOptions,
) {}

/** Filters and order of the list of service accounts, and the options of exports. */
export class ServiceAccountsExportQuery extends IntersectionType(
  OmitType(ServiceAccountsQuery, ['limit', 'after'] as const),
  ExportOptions,
) {}

/** Filters and order of the list of keys, and the options of exports. */
export class KeysExportQuery extends IntersectionType(
  OmitType(KeysQuery, ['limit', 'after'] as const),
  ExportOptions,
) {}

/** Filters and order of the audit trail, and the options of exports. */
export class AuditEventsExportQuery extends IntersectionType(
  OmitType(AuditEventsQuery, ['limit', 'after'] as const),
  ExportOptions,
) {}

/** Documents the answer of an export, with an example of each format. */
export function ExportAnswer(examples: { csv: string; ndjson: string }): MethodDecorator {
  const file = (example: string) => ({ schema: { type: 'string' as const }, example });
  return applyDecorators(
    ApiResponse({
      status: 200,
      description:
        'The rows, as they are read. A connection that ends without the final chunk (RFC 9112 section 8) has not delivered all of them: continue with `after`.',
      headers: {
        'Content-Disposition': {
          description: 'A file name.',
          schema: {
            type: 'string',
            maxLength: 100,
            pattern: '^attachment; filename="[a-z0-9.-]+"$',
          },
          example: 'attachment; filename="users-2026-11-23.csv"',
        },
      },
      content: { 'application/x-ndjson': file(examples.ndjson), 'text/csv': file(examples.csv) },
    }),
  );
}
