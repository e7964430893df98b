import { ApiProperty } from '@nestjs/swagger';
import type { SignedTombstone, Tombstone } from './tombstone.js';

/** What retention has taken off the beginning of a chain. */
export class TombstoneDto implements Tombstone {
  /**
   * Which database.
   * @example 0d4c8f4e-3c39-4d8e-a9d3-0c5f0c1f2a77
   */
  instance: string;

  /**
   * The organization's id, or `system` for the instance's own.
   * @example org_01h455vb4pex5vsknk084sn02q
   */
  chain: string;

  /**
   * Of the last event that is gone; all before it are gone too.
   * @example 4711
   */
  @ApiProperty({ type: 'integer' })
  sequence: number;

  /**
   * Hex SHA-256 of that event: the event after it has it as its previous hash.
   * @example fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
   */
  hash: string;

  /**
   * How many events went with this tombstone; earlier ones had tombstones of their own.
   * @example 1200
   */
  @ApiProperty({ type: 'integer' })
  events: number;

  /**
   * When the first of them had happened.
   * @example 2025-10-01T00:00:12.345Z
   */
  @ApiProperty({ format: 'date-time' })
  firstAt: string;

  /**
   * When the last of them had happened.
   * @example 2025-10-31T23:58:01.002Z
   */
  @ApiProperty({ format: 'date-time' })
  lastAt: string;

  /**
   * When they were taken off.
   * @example 2026-11-01T03:12:00.000Z
   */
  @ApiProperty({ format: 'date-time' })
  at: string;
}

/** A tombstone with its signature. */
export class SignedTombstoneDto implements SignedTombstone {
  tombstone: TombstoneDto;

  /**
   * The public key, 32 bytes in base64url: the one of this server's checkpoints.
   * @example 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
   */
  key: string;

  /**
   * Ed25519 (RFC 8032), 64 bytes in base64url.
   * @example 5VZDAMNgrHKQhuLMgG6CioSHfx64Tlvc7i4gqPIhLg6gyTlZ3Kd8uZ2r3yRSkYyPg0bTGvxlYmIrcqYj4rYFBw
   */
  signature: string;
}
