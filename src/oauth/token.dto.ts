import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsString, MaxLength } from 'class-validator';
import { Optional } from '../http/validators.js';

/** The request of RFC 6749 section 4.4.2. Clients authenticate as at every endpoint here, or by an assertion. */
export class TokenInput {
  /** @example client_credentials */
  @IsString()
  grant_type: string;

  /**
   * What the access token is to permit: permissions that the key has, separated by spaces. Absent: all that it has.
   * @example "organization:read users:read"
   */
  @Optional()
  @IsString()
  @MaxLength(8_000)
  scope?: string;

  /**
   * Whom the access token is for (RFC 8707): an absolute URI, which becomes its `aud`; may be there several times. Absent:
   * this server.
   * @example ["https://reports.example.com"]
   */
  @Optional()
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  @ArrayMaxSize(10)
  resource?: string[];

  /**
   * The id of the service account, beside `client_secret`; HTTP Basic and assertions do not need it.
   * @example sa_01h455vb4pex5vsknk084sn02q
   */
  @Optional()
  @IsString()
  client_id?: string;

  /** The token of one of its keys (`client_secret_post`). */
  @ApiProperty({
    format: 'password',
    required: false,
    example: 'clv_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000',
  })
  @Optional()
  @IsString()
  client_secret?: string;

  /** @example urn:ietf:params:oauth:client-assertion-type:jwt-bearer */
  @Optional()
  @IsString()
  client_assertion_type?: string;

  /**
   * A JWT, signed with the private key of one of its keys (`private_key_jwt`, RFC 7523): header `kid` the key's id; `iss` and
   * `sub` the service account's id, `aud` this server or this endpoint alone, `exp` at most 10 minutes ahead, `jti` never used before.
   */
  @ApiProperty({
    type: 'string',
    required: false,
    example:
      'eyJhbGciOiJFUzI1NiIsImtpZCI6ImtleV8wMWg0NTV2YjRwZXg1dnNrbmswODRzbjAycSJ9.eyJzdWIiOiJzYV8wMWg0NTV2YjRwZXg1dnNrbmswODRzbjAycSJ9.c2lnbmF0dXJl',
  })
  @Optional()
  @IsString()
  client_assertion?: string;
}

/** The answer of RFC 6749 section 5.1. */
export class TokenAnswer {
  /**
   * A JWT (RFC 9068), signed with ES256; verify it with the keys of `/.well-known/jwks.json`.
   * @example eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJzYV8wMWg0NTV2YjRwZXg1dnNrbmswODRzbjAycSJ9.c2lnbmF0dXJl
   */
  access_token: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type: 'Bearer';

  /** In so many seconds it expires. */
  @ApiProperty({ type: 'integer', minimum: 1, example: 300 })
  expires_in: number;

  /**
   * What it permits; absent when the key has no permission.
   * @example "organization:read users:read"
   */
  scope?: string;
}

/** A public key that access tokens can be verified with (RFC 7517). */
export class JsonWebKey {
  @ApiProperty({ enum: ['EC'] })
  kty: 'EC';

  @ApiProperty({ enum: ['P-256'] })
  crv: 'P-256';

  /** @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU */
  x: string;

  /** @example x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 */
  y: string;

  /** @example kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k */
  kid: string;

  @ApiProperty({ enum: ['sig'] })
  use: 'sig';

  @ApiProperty({ enum: ['ES256'] })
  alg: 'ES256';
}

/** A JWK set (RFC 7517 section 5). */
export class JsonWebKeySet {
  keys: JsonWebKey[];
}
