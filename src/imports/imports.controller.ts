import { Controller, HttpCode, Param, Post, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../auth/allow.decorator.js';
import { ImportQuery } from './imports.dto.js';
import { ImportOperation } from './imports.openapi.js';
import { ImportsService } from './imports.service.js';

@ApiTags('Users')
@Controller('v1/organizations/:organizationId/users/import')
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  /** Creates and updates many users of the organization from a file. */
  @Post()
  @Allow('users:manage', { dangerous: true })
  @HttpCode(200)
  @ImportOperation()
  users(
    @Req() request: FastifyRequest,
    @Param('organizationId') organizationId: string,
    @Query() query: ImportQuery,
  ): Promise<StreamableFile> {
    return this.imports.users(request, organizationId, query);
  }
}
