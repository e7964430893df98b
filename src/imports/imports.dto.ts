import { PickType } from '@nestjs/swagger';
import type { FieldError } from '../http/problem.js';
import { BooleanParam } from '../http/validators.js';
import { UserCreateInput } from '../users/users.dto.js';

/** How an import is to be done. */
export class ImportQuery {
  @BooleanParam({
    description:
      'Only says what would become of each row, judged against the users that there are now; nothing is changed.',
  })
  validateOnly?: boolean;
}

/** One row, once it is an object. */
export class UserImportRow extends PickType(UserCreateInput, [
  'email',
  'name',
  'role',
  'attributes',
] as const) {}

/** What became of a row. */
export type RowStatus = 'created' | 'updated' | 'unchanged' | 'failed';

/** The answer for one row. */
export interface RowResult {
  line: number;
  /** Null when the row has none. */
  email: string | null;
  status: RowStatus;
  /** Null when there is none (yet). */
  userId: string | null;
  /** Pointers into the row as JSON: `/role`. */
  errors: FieldError[];
}

/** How many rows became what. */
export interface ImportTotals {
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
}

/** The last line of an answer. */
export interface ImportSummary {
  totals: ImportTotals;
  validateOnly: boolean;
  /** False when the work ended early: the rows answered are done, the others are not. */
  complete: boolean;
  /** Why it ended early. */
  reason?: string;
}
