import { ApiProperty } from '@nestjs/swagger';
import { OptionalBody } from '../http/validation.js';
import { Check, IsInteger, IsName, IsTimestamp, Nullable, Optional } from '../http/validators.js';
import { MAX_OVERLAP_SECONDS } from './key-fields.js';
import { KeyWithToken } from './keys.dto.js';
import { publicJwkFaults } from './public-jwk.js';
import { PublicKey } from './public-key.dto.js';

/** How long the old key works on when nobody says. */
export const DEFAULT_OVERLAP_SECONDS = 24 * 3_600;

/** A key that rotates itself must be good for at least as long as a lost answer can be replayed. */
export const MIN_OWN_OVERLAP_SECONDS = 600;

/** How a key is to be replaced. */
@OptionalBody()
export class KeyRotateInput {
  /**
   * How long the old key works on, never past its own expiry: 24 hours unless given, at most 7 days. 0: it ends at once.
   * @example 86400
   */
  @Optional()
  @IsInteger({ min: 0, max: MAX_OVERLAP_SECONDS })
  overlapSeconds?: number;

  /**
   * The successor's name. Absent: that of the old key.
   * @example "Production 2028"
   */
  @Optional()
  @IsName()
  name?: string;

  /**
   * When the successor stops working. Absent: it gets the lifetime of the old key, from when that was made to
   * its expiry as it stands now. Null: never, where the organization allows that.
   * @example 2028-11-23T00:00:00Z
   */
  @ApiProperty({ nullable: true })
  @Nullable()
  @IsTimestamp()
  expiresAt?: string | null;

  /** The successor's public key; it has no token then. Must be given where the old key has one. */
  @ApiProperty({ type: () => PublicKey, required: false })
  @Optional()
  @Check('isPublicJwk', publicJwkFaults)
  publicKey?: PublicKey;
}

/** How a key is to replace itself. */
@OptionalBody()
export class OwnKeyRotateInput {
  /**
   * How long the old key works on, never past its own expiry: 24 hours unless given, at least 10 minutes, at most 7 days.
   * @example 86400
   */
  @Optional()
  @IsInteger({ min: MIN_OWN_OVERLAP_SECONDS, max: MAX_OVERLAP_SECONDS })
  overlapSeconds?: number;

  /**
   * The successor's name. Absent: that of the old key.
   * @example "Production 2028"
   */
  @Optional()
  @IsName()
  name?: string;
}

/** The successor of a key, with its token. */
export class RotatedKey extends KeyWithToken {
  /** Until when the old key works too; its own expiry may have been nearer than the overlap. */
  @ApiProperty({ format: 'date-time', example: '2026-11-24T20:25:38.190Z' })
  overlapEndsAt: string;
}
