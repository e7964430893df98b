import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { SigningKeysModule } from '../signing-keys/signing-keys.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { ClientAssertions } from './client-assertion.js';
import { IntrospectionService } from './introspection.service.js';
import { JwksController } from './jwks.controller.js';
import { OauthController } from './oauth.controller.js';
import { PresentedTokens } from './presented-tokens.js';
import { RevocationService } from './revocation.service.js';
import { TokenController } from './token.controller.js';
import { TokenService } from './token.service.js';

/** Tokens in the words of OAuth: introspection, revocation, metadata. */
@Module({
  imports: [AuthModule, SigningKeysModule, KeysModule],
  controllers: [OauthController, TokenController, JwksController],
  providers: [
    TokenService,
    ClientAssertions,
    PresentedTokens,
    IntrospectionService,
    RevocationService,
  ],
})
export class OAuthModule {}
