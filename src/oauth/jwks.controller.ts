import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/allow.decorator.js';
import { VerificationKeys } from '../auth/verification-keys.js';
import { JsonWebKeySet } from './token.dto.js';

@ApiTags('OAuth')
@Controller('.well-known/jwks.json')
export class JwksController {
  constructor(private readonly verificationKeys: VerificationKeys) {}

  /** The public keys that access tokens can be verified with (RFC 7517). A key is here an hour before it signs. */
  @Public()
  @Get()
  @Header('Cache-Control', 'public, max-age=600')
  @ApiOperation({ operationId: 'oauth_jwks' })
  jwks(): Promise<JsonWebKeySet> {
    return this.verificationKeys.published() as Promise<JsonWebKeySet>;
  }
}
