import { ApiProperty } from '@nestjs/swagger';

/** A public key as a JWK (RFC 7517): EC on P-256 or P-384, OKP with Ed25519, or RSA of at least 2048 bits. */
export class PublicKey {
  @ApiProperty({ enum: ['EC', 'OKP', 'RSA'], example: 'EC' })
  kty: string;

  /** @example P-256 */
  crv?: string;

  /** @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU */
  x?: string;

  /** @example x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 */
  y?: string;

  /** Of RSA keys: the modulus. */
  @ApiProperty({ type: 'string', required: false })
  n?: string;

  /** Of RSA keys: the exponent. */
  @ApiProperty({ type: 'string', required: false })
  e?: string;

  /** The one algorithm that the key is for; absent: any that fits. */
  @ApiProperty({ type: 'string', required: false })
  alg?: string;
}
