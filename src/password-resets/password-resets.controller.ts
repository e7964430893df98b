import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../auth/allow.decorator.js';
import {
  PasswordResetConfirmInput,
  PasswordResetInput,
  PasswordResetRequested,
} from './password-resets.dto.js';
import { PasswordResetsService } from './password-resets.service.js';

@ApiTags('Password resets')
@Controller('v1/password-resets')
export class PasswordResetsController {
  constructor(private readonly resets: PasswordResetsService) {}

  /** Mails a link for a new password if somebody has this e-mail; at most 3 an hour for one e-mail, 60 from one address. */
  @Post()
  @Public()
  @HttpCode(202)
  create(
    @Req() request: FastifyRequest,
    @Body() input: PasswordResetInput,
  ): Promise<PasswordResetRequested> {
    return this.resets.create(request.context, input);
  }

  /** Sets a new password with the token of the mail, once, and ends all sessions of the person. */
  @Post('confirm')
  @Public()
  @HttpCode(204)
  confirm(@Req() request: FastifyRequest, @Body() input: PasswordResetConfirmInput): Promise<void> {
    return this.resets.confirm(request.context, input);
  }
}
