import { Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ClientRoute } from './client-authentication.js';
import { Form } from './form.js';
import { TokenAnswer, TokenInput } from './token.dto.js';
import { TokenService } from './token.service.js';

@ApiTags('OAuth')
@Controller('oauth/token')
export class TokenController {
  constructor(private readonly tokens: TokenService) {}

  /**
   * Makes a short-lived access token of a key (client credentials, RFC 6749 section 4.4). It is a JWT that other services
   * verify by themselves. Here it ends with its key, at once; elsewhere at its own end.
   */
  @Post()
  @Allow('serviceAccount')
  @ClientRoute()
  @HttpCode(200)
  @Header('Pragma', 'no-cache')
  @ApiOperation({ operationId: 'oauth_token' })
  @ApiBody({ type: TokenInput })
  issue(
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Form(TokenInput) input: TokenInput,
  ): Promise<TokenAnswer> {
    return this.tokens.issue(actor, request, input);
  }
}
