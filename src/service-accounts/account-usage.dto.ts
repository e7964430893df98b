import { ApiProperty } from '@nestjs/swagger';
import { IntegerParam } from '../http/validators.js';

/** Which days to show. */
export class ServiceAccountUsageQuery {
  @IntegerParam({
    min: 1,
    max: 90,
    default: 30,
    description: 'How many days, today (UTC) among them.',
  })
  days: number = 30;
}

/** The key that was used last, with the name that it has now. */
export class ServiceAccountLastKey {
  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Default */
  name: string;
}

/** The last use of a service account, to the minute. */
export class ServiceAccountLastUse {
  /** @example 2026-11-24T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  at: string;

  /** Null: nobody knows from where. */
  @ApiProperty({ type: 'string', nullable: true, example: '203.0.113.7' })
  ip: string | null;

  key: ServiceAccountLastKey;
}

/** How often a service account was used, with all its keys together. */
export class ServiceAccountUsageCounts {
  /** Requests that a key was good for, whatever they were answered. */
  @ApiProperty({ type: 'integer', example: 1204 })
  requests: number;

  /** Of `requests`: answered with a refusal, as the outcome `denied` of the audit trail. */
  @ApiProperty({ type: 'integer', example: 3 })
  denied: number;

  /** Requests that were refused though the token was right: the key had ended, say. Not among `requests`. */
  @ApiProperty({ type: 'integer', example: 0 })
  refused: number;
}

/** How often a service account was used on one day. */
export class ServiceAccountUsageDay extends ServiceAccountUsageCounts {
  /** In UTC. */
  @ApiProperty({ format: 'date', example: '2026-11-24' })
  day: string;
}

/** The use of a service account, day by day. */
export class ServiceAccountUsage {
  /** The first day, in UTC. */
  @ApiProperty({ format: 'date', example: '2026-11-24' })
  from: string;

  /** The last day: today, in UTC. */
  @ApiProperty({ format: 'date', example: '2026-11-24' })
  to: string;

  /** Of any of its keys, also before these days; null: never. */
  @ApiProperty({ type: () => ServiceAccountLastUse, nullable: true })
  lastUsed: ServiceAccountLastUse | null;

  /** The sums of these days. */
  totals: ServiceAccountUsageCounts;

  /** Every day from `from` to `to`, oldest first. */
  data: ServiceAccountUsageDay[];
}
