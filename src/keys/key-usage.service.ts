import { Injectable } from '@nestjs/common';
import { UsageCounter } from '../audit/usage-counter.js';
import { DatabaseService } from '../database/database.service.js';
import { CursorCodec, cursorScope, mapPage, page } from '../http/pagination.js';
import { findAccount } from '../service-accounts/find-account.js';
import type { KeyUsagePage, KeyUsageQuery, KeyUsageRow, KeyUsageTotal } from './key-usage.dto.js';
import {
  type ListedUse,
  positionOf,
  readDays,
  selectTotals,
  selectUses,
  type TotalRow,
} from './key-usage.sql.js';
import { readKey } from './keys.sql.js';

/** How keys are used, so that their owner sees when an old one can end. */
@Injectable()
export class KeyUsageService {
  constructor(
    private readonly database: DatabaseService,
    private readonly cursors: CursorCodec,
    private readonly counter: UsageCounter,
  ) {}

  /**
   * The usage of a key, its predecessor and its successor, up to this moment as far as this process knows; on the first page with
   * their totals. Errors: 404.
   */
  async read(
    organizationId: string,
    serviceAccountId: string,
    keyId: string,
    query: KeyUsageQuery,
  ): Promise<KeyUsagePage> {
    const { days, limit, after } = query;
    const scope = cursorScope(organizationId, 'key-usage-by-key', { keyId, days });
    const start = after === undefined ? undefined : this.cursors.decode(scope, after);
    await this.counter.flush();
    return this.database.tenant(organizationId, async (tx) => {
      await findAccount(tx, organizationId, serviceAccountId);
      const key = await readKey(tx, organizationId, serviceAccountId, keyId);
      const period = await readDays(tx, days);
      const keyIds = [keyId, key.rotatedFromId, key.replacedById].filter((id) => id !== null);
      const rows = await selectUses(tx, organizationId, keyIds, period, query, start);
      const listed = page(rows, limit, {
        codec: this.cursors,
        scope,
        toPosition: positionOf,
      });
      const uses = mapPage(listed, toUse);
      if (start !== undefined) return { ...period, ...uses };
      const totals = await selectTotals(tx, organizationId, keyId, period);
      return { ...period, keys: totals.map(toTotal), ...uses };
    });
  }
}

function toTotal(row: TotalRow): KeyUsageTotal {
  return { ...row, ...timesOf(row), expiresAt: row.expiresAt?.toISOString() ?? null };
}

function toUse(row: ListedUse): KeyUsageRow {
  return { ...row, ...timesOf(row) };
}

function timesOf(row: Pick<TotalRow, 'lastUsedAt' | 'lastRefusedAt'>) {
  return {
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastRefusedAt: row.lastRefusedAt?.toISOString() ?? null,
  };
}
