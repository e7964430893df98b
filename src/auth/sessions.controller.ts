import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, CurrentActor } from './actor.js';
import { Allow, Public } from './allow.decorator.js';
import { LogsIn } from './logs-in.decorator.js';
import { Reauthentication } from './reauthentication.js';
import {
  Login,
  LoginInput,
  ReauthenticationInput,
  SessionPage,
  SessionsQuery,
} from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly reauthentication: Reauthentication,
  ) {}

  /**
   * Logs a person in: the session's token is good for 12 hours, or until 30 minutes without use. After 5 failures for an e-mail
   * from one address further attempts have to wait, 30 seconds at first and up to 15 minutes: 429 `too_many_login_attempts`.
   */
  @Post()
  @Public()
  @LogsIn()
  create(@Req() request: FastifyRequest, @Body() input: LoginInput): Promise<Login> {
    return this.sessions.login(request.context, input);
  }

  /** Lists the caller's own sessions, newest first. */
  @Get()
  @Allow('user')
  list(@CurrentActor() actor: Actor, @Query() query: SessionsQuery): Promise<SessionPage> {
    return this.sessions.list(actor, query);
  }

  /**
   * Proves the caller's password again, for this session: what is dangerous needs a proof from the last 15 minutes, and a login is one. Wrong
   * ones are 403 `wrong_password`, and count as failed logins from this address do.
   */
  @Post('current/reauthenticate')
  @Allow('user')
  @HttpCode(204)
  reauthenticate(
    @CurrentActor() actor: Actor,
    @Body() input: ReauthenticationInput,
  ): Promise<void> {
    return this.reauthentication.reauthenticate(actor, input);
  }

  /** Logs the caller out. */
  @Delete('current')
  @Allow('user')
  @HttpCode(204)
  endCurrent(@CurrentActor() actor: Actor): Promise<void> {
    return this.sessions.endCurrent(actor);
  }

  /** Ends one of the caller's own sessions. */
  @Delete(':sessionId')
  @Allow('user')
  @HttpCode(204)
  end(@CurrentActor() actor: Actor, @Param('sessionId') sessionId: string): Promise<void> {
    return this.sessions.end(actor, sessionId);
  }
}
