import { ApiProperty } from '@nestjs/swagger';
import { BASE64URL, MAX_MEMBER_LENGTH } from './public-jwk.js';

const WORD = '^[A-Za-z0-9-]+$';

/** A public key as a JWK (RFC 7517): EC on P-256 or P-384, OKP with Ed25519, or RSA of at least 2048 bits. */
export class PublicKey {
  @ApiProperty({ enum: ['EC', 'OKP', 'RSA'], example: 'EC' })
  kty: string;

  /** @example P-256 */
  @ApiProperty({ maxLength: 16, pattern: WORD })
  crv?: string;

  /** @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU */
  @ApiProperty({ maxLength: MAX_MEMBER_LENGTH.x, pattern: BASE64URL.source })
  x?: string;

  /** @example x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 */
  @ApiProperty({ maxLength: MAX_MEMBER_LENGTH.y, pattern: BASE64URL.source })
  y?: string;

  /** Of RSA keys: the modulus. */
  @ApiProperty({
    type: 'string',
    required: false,
    maxLength: MAX_MEMBER_LENGTH.n,
    pattern: BASE64URL.source,
  })
  n?: string;

  /** Of RSA keys: the exponent. */
  @ApiProperty({
    type: 'string',
    required: false,
    maxLength: MAX_MEMBER_LENGTH.e,
    pattern: BASE64URL.source,
  })
  e?: string;

  /** The one algorithm that the key is for; absent: any that fits. */
  @ApiProperty({ type: 'string', required: false, maxLength: 16, pattern: WORD })
  alg?: string;
}
