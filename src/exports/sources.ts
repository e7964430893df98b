import type { AuditExport, ChainPosition } from '../audit/audit-export.js';
import type { DatabaseService } from '../database/database.service.js';
import { toKey } from '../keys/keys.dto.js';
import { selectKeys } from '../keys/keys.sql.js';
import { toServiceAccount } from '../service-accounts/service-accounts.dto.js';
import { selectAccounts } from '../service-accounts/service-accounts.sql.js';
import { toUser } from '../users/member.js';
import { listMembers } from '../users/users-list.js';
import {
  AUDIT_EVENT_COLUMNS,
  type Columns,
  KEY_COLUMNS,
  SERVICE_ACCOUNT_COLUMNS,
  USER_COLUMNS,
} from './columns.js';
import type {
  AuditEventsExportQuery,
  ExportOptions,
  KeysExportQuery,
  ServiceAccountsExportQuery,
  UsersExportQuery,
} from './exports.dto.js';

/** Values of the sort columns, the last of them unique: the content of a cursor. */
export type Position = unknown[];

/** Some rows in order, each with its place. */
export interface SourcePage {
  rows: { item: object; position: Position }[];
  /** Whether there may be more after the last row. */
  hasMore: boolean;
}

/** What is exported. */
export interface Source {
  /** In file names and on the trail. */
  name: string;
  /** Null: the instance's own. */
  organizationId: string | null;
  columns: Columns;
  filters: Record<string, unknown>;
  /** Begins after a position; each call then reads what follows, in a transaction of its own. */
  open(after: Position | undefined): (limit: number) => Promise<SourcePage>;
}

const OPTIONS = ['format', 'cursors', 'after', 'limit'] as const satisfies (keyof ExportOptions)[];

/** The query less what only says how rows are written. */
function filtersOf<Q extends ExportOptions>(query: Q): Omit<Q, keyof ExportOptions> {
  const filters = { ...query };
  for (const option of OPTIONS) delete filters[option];
  return filters;
}

/** The list functions of the slices: `limit + 1` rows after a position. */
type List<Row> = (limit: number, after: Position | undefined) => Promise<Row[]>;

function paged<Row>(
  list: List<Row>,
  toItem: (row: Row) => object,
  toPosition: (row: Row) => Position,
) {
  return (after: Position | undefined) => {
    let position = after;
    return async (limit: number): Promise<SourcePage> => {
      const found = await list(limit, position);
      const rows = found
        .slice(0, limit)
        .map((row) => ({ item: toItem(row), position: toPosition(row) }));
      position = rows.at(-1)?.position;
      // A list may leave out what was removed while it was read, so only an empty page is the end.
      return { rows, hasMore: rows.length > 0 };
    };
  };
}

/** The organization's users. */
export function usersSource(
  database: DatabaseService,
  organizationId: string,
  query: UsersExportQuery,
): Source {
  const filters = filtersOf(query);
  return {
    name: 'users',
    organizationId,
    columns: USER_COLUMNS,
    filters: { ...filters },
    open: paged(
      (limit, after) =>
        database.tenant(organizationId, (tx) =>
          listMembers(tx, organizationId, { ...filters, limit }, after),
        ),
      toUser,
      (row) => [row.position, row.userId],
    ),
  };
}

/** The organization's service accounts. */
export function serviceAccountsSource(
  database: DatabaseService,
  organizationId: string,
  query: ServiceAccountsExportQuery,
): Source {
  const filters = filtersOf(query);
  return {
    name: 'service-accounts',
    organizationId,
    columns: SERVICE_ACCOUNT_COLUMNS,
    filters: { ...filters },
    open: paged(
      (limit, after) =>
        database.tenant(organizationId, (tx) =>
          selectAccounts(tx, organizationId, { ...filters, limit }, after),
        ),
      toServiceAccount,
      (row) => [row.position, row.id],
    ),
  };
}

/** The keys of the organization's service accounts. */
export function keysSource(
  database: DatabaseService,
  organizationId: string,
  query: KeysExportQuery,
): Source {
  const filters = filtersOf(query);
  return {
    name: 'keys',
    organizationId,
    columns: KEY_COLUMNS,
    filters: { ...filters },
    open: paged(
      (limit, after) =>
        database.tenant(organizationId, (tx) =>
          selectKeys(tx, organizationId, { ...filters, limit }, after),
        ),
      toKey,
      (row) => [row.position, row.id],
    ),
  };
}

/** A chain of the audit trail, up to where it ends when the export begins. */
export function auditEventsSource(
  audit: AuditExport,
  organizationId: string | null,
  query: AuditEventsExportQuery,
): Source {
  const filters = filtersOf(query);
  return {
    name: 'audit-events',
    organizationId,
    columns: AUDIT_EVENT_COLUMNS,
    filters: { ...filters },
    open: (after) => {
      const start = after === undefined ? undefined : BigInt(after[0] as string);
      let position: ChainPosition | undefined;
      return async (limit) => {
        position ??= await audit.begin(organizationId, filters, start);
        const { events, next } = await audit.read(organizationId, filters, position, limit);
        position = next ?? position;
        return {
          rows: events.map((item) => ({ item, position: [String(item.sequence)] })),
          hasMore: next !== undefined,
        };
      };
    },
  };
}
