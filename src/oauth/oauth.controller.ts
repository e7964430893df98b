import { Controller, Get, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorOf, CurrentActor } from '../auth/actor.js';
import { Allow, Public } from '../auth/allow.decorator.js';
import { CONFIG, type Config } from '../config.js';
import { ClientRoute } from './client-authentication.js';
import { Form, readForm } from './form.js';
import { Introspection, IntrospectionInput } from './introspection.dto.js';
import { IntrospectionService } from './introspection.service.js';
import { AuthorizationServerMetadata, toMetadata } from './metadata.dto.js';
import { RevocationInput } from './revocation.dto.js';
import { RevocationService } from './revocation.service.js';

/** What other services need to know of tokens, in the words of OAuth. */
@ApiTags('OAuth')
@Controller()
export class OauthController {
  constructor(
    private readonly introspection: IntrospectionService,
    private readonly revocation: RevocationService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>,
  ) {}

  /**
   * Says whether a token is good now, and for what (RFC 7662). A token that is unknown, malformed, expired, revoked or of
   * another organization is inactive, and nothing else is said about it.
   */
  @Post('oauth/introspect')
  @Allow('tokens:introspect')
  @ClientRoute({ isSafe: true })
  @HttpCode(200)
  @ApiBody({ type: IntrospectionInput })
  introspect(@Req() request: FastifyRequest): Promise<Introspection> {
    const input = readForm(IntrospectionInput, request.body);
    return this.introspection.introspect(actorOf(request), request, input);
  }

  /**
   * Revokes a token (RFC 7009): a key of the caller's own service account, or with `keys:manage` any of its organization.
   * No request begun after this is let in with it. A token that is unknown, or no good any more, gets the same answer.
   */
  @Post('oauth/revoke')
  @Allow('serviceAccount')
  @ClientRoute()
  @HttpCode(200)
  @ApiBody({ type: RevocationInput })
  revoke(
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Form(RevocationInput) input: RevocationInput,
  ): Promise<void> {
    return this.revocation.revoke(actor, request, input);
  }

  /** Tells clients where the endpoints are and what they support (RFC 8414). */
  @Public()
  @Get('.well-known/oauth-authorization-server')
  @Header('Cache-Control', 'public, max-age=300')
  metadata(): AuthorizationServerMetadata {
    return toMetadata(this.config.publicUrl);
  }
}
