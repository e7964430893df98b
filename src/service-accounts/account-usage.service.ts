import { Injectable } from '@nestjs/common';
import { UsageCounter } from '../audit/usage-counter.js';
import { DatabaseService } from '../database/database.service.js';
import { readDays } from '../keys/key-usage.sql.js';
import type {
  ServiceAccountLastUse,
  ServiceAccountUsage,
  ServiceAccountUsageCounts,
  ServiceAccountUsageQuery,
} from './account-usage.dto.js';
import { type LastUseRow, readLastUse, selectDays } from './account-usage.sql.js';
import { findAccount } from './find-account.js';

/** How service accounts are used, all their keys together. */
@Injectable()
export class ServiceAccountUsageService {
  constructor(
    private readonly database: DatabaseService,
    private readonly counter: UsageCounter,
  ) {}

  /** The usage of an account by day, up to this moment as far as this process knows. Errors: 404. */
  async read(
    organizationId: string,
    id: string,
    { days }: ServiceAccountUsageQuery,
  ): Promise<ServiceAccountUsage> {
    await this.counter.flush();
    return this.database.tenant(organizationId, async (tx) => {
      await findAccount(tx, organizationId, id);
      const period = await readDays(tx, days);
      const lastUse = await readLastUse(tx, organizationId, id);
      const data = await selectDays(tx, organizationId, id, period);
      return { ...period, lastUsed: toLastUsed(lastUse), totals: totalsOf(data), data };
    });
  }
}

function toLastUsed(row: LastUseRow | undefined): ServiceAccountLastUse | null {
  if (row === undefined) return null;
  return { at: row.at.toISOString(), ip: row.ip, key: { id: row.keyId, name: row.keyName } };
}

function totalsOf(days: ServiceAccountUsageCounts[]): ServiceAccountUsageCounts {
  const totals = { requests: 0, denied: 0, refused: 0 };
  for (const day of days) {
    totals.requests += day.requests;
    totals.denied += day.denied;
    totals.refused += day.refused;
  }
  return totals;
}
