import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AccessTokens } from './access-token.js';
import { AccessDeclarations } from './access-declarations.js';
import { AssertingKeys } from './asserting-keys.js';
import { BearerGuard } from './bearer.guard.js';
import { BearerStrategy } from './bearer.strategy.js';
import { Credentials } from './credentials.js';
import { Identifier } from './identify.js';
import { RoleGuard } from './role.guard.js';
import { SessionCookies } from './session-cookie.js';
import { StillAllowed } from './still-allowed.js';
import { VerificationKeys } from './verification-keys.js';

/** Authentication and authorization of every route: the two global guards, in this order. */
@Module({
  imports: [PassportModule, DiscoveryModule],
  providers: [
    VerificationKeys,
    AccessTokens,
    AssertingKeys,
    Credentials,
    SessionCookies,
    Identifier,
    StillAllowed,
    BearerStrategy,
    AccessDeclarations,
    { provide: APP_GUARD, useClass: BearerGuard },
    { provide: APP_GUARD, useClass: RoleGuard },
  ],
  exports: [
    VerificationKeys,
    AccessTokens,
    AssertingKeys,
    Credentials,
    Identifier,
    SessionCookies,
    StillAllowed,
  ],
})
export class AuthModule {}
