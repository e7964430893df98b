import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { Optional } from '../http/validators.js';
import { OptionalBody } from '../http/validation.js';
import type { SigningKeyRow } from './signing-keys.sql.js';

const STATUSES = ['next', 'signing', 'verifying', 'expired', 'revoked'] as const;

/**
 * `next`: published, signs soon. `signing`: signs new access tokens. `verifying`: signs no more, but tokens that it has
 * signed may still be good. `expired`: they no longer are. `revoked`: taken out at once.
 */
export type SigningKeyStatus = (typeof STATUSES)[number];

/** A key pair that access tokens are signed with. */
export class SigningKey {
  /**
   * The `kid` in the header of tokens, and in the JWKS: the thumbprint of the public key (RFC 7638).
   * @example kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
   */
  kid: string;

  @ApiProperty({ enum: ['ES256'] })
  algorithm: 'ES256';

  /** `next` and `signing` are in the JWKS, and `verifying` too. */
  @ApiProperty({ enum: STATUSES })
  status: SigningKeyStatus;

  /** From here on it is published. */
  @ApiProperty({ format: 'date-time', example: '2026-11-23T20:25:38.190Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T21:25:38.190Z' })
  signsFrom: string;

  /** Null: it has no successor yet. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  signsUntil: string | null;

  /** Until here it is published: the last token that it signed has expired by then. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  verifiesUntil: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  revokedAt: string | null;
}

/** All signing keys that have not been forgotten, newest first. */
export class SigningKeyList {
  data: SigningKey[];
}

/** How to rotate. */
@OptionalBody()
export class SigningKeyRotationInput {
  /**
   * True after a leak: all keys before are revoked, and with them every access token, here at once and elsewhere as soon as
   * the JWKS is read again. False or absent: they end in their own time, and nobody notices.
   * @example false
   */
  @Optional()
  @IsBoolean()
  revokeOld?: boolean;
}

/** The signing key as the API shows it. */
export function toSigningKey(row: SigningKeyRow): SigningKey {
  return {
    kid: row.kid,
    algorithm: 'ES256',
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    signsFrom: row.signsFrom.toISOString(),
    signsUntil: row.signsUntil?.toISOString() ?? null,
    verifiesUntil: row.verifiesUntil?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
