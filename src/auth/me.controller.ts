import { Body, Controller, Get, HttpCode, Patch, Post, Req } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorOf, CurrentActor } from './actor.js';
import { Allow } from './allow.decorator.js';
import {
  type Me,
  MeUpdateInput,
  PasswordChangeInput,
  ServiceAccountMe,
  toMe,
  UserMe,
} from './me.dto.js';
import { MeService } from './me.service.js';

const ME = {
  schema: {
    title: 'Me',
    oneOf: [{ $ref: getSchemaPath(UserMe) }, { $ref: getSchemaPath(ServiceAccountMe) }],
    discriminator: {
      propertyName: 'kind',
      mapping: { user: getSchemaPath(UserMe), serviceAccount: getSchemaPath(ServiceAccountMe) },
    },
  },
};

@ApiTags('Me')
@ApiExtraModels(UserMe, ServiceAccountMe)
@Controller('v1/me')
export class MeController {
  constructor(private readonly me: MeService) {}

  /** Tells who the caller is and what the presented credential may do. */
  @Get()
  @Allow('any')
  @ApiOkResponse(ME)
  get(@Req() request: FastifyRequest): Me {
    request.recompute = toMe;
    return toMe(actorOf(request));
  }

  /** Changes the caller's own name. */
  @Patch()
  @Allow('user')
  @ApiOkResponse(ME)
  update(@CurrentActor() actor: Actor, @Body() input: MeUpdateInput): Promise<Me> {
    return this.me.update(actor, input);
  }

  /**
   * Changes the caller's own password and ends all their sessions, this one too: log in with the new one. Wrong current passwords count as failed logins from this
   * address do.
   */
  @Post('password')
  @Allow('user')
  @HttpCode(204)
  changePassword(@CurrentActor() actor: Actor, @Body() input: PasswordChangeInput): Promise<void> {
    return this.me.changePassword(actor, input);
  }
}
