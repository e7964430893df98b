import { Body, Controller, Post, Req, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../auth/allow.decorator.js';
import { LogsIn } from '../auth/logs-in.decorator.js';
import { Login } from '../auth/sessions.dto.js';
import { SetupInput } from './setup.dto.js';
import { SetupGuard } from './setup.guard.js';
import { SetupService } from './setup.service.js';

@ApiTags('Set-up')
@Controller('v1/setup')
@UseGuards(SetupGuard)
export class SetupController {
  constructor(private readonly setup: SetupService) {}

  /** Makes the first administrator and organization, once, and logs the administrator in. */
  @Post()
  @Public()
  @LogsIn()
  create(@Req() request: FastifyRequest, @Body() input: SetupInput): Promise<Login> {
    return this.setup.setUp(request.context, input);
  }
}
