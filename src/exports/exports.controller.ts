import { Controller, Get, Param, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../auth/allow.decorator.js';
import { EXPORT_EXAMPLES } from './exports.examples.js';
import {
  AuditEventsExportQuery,
  ExportAnswer,
  KeysExportQuery,
  ServiceAccountsExportQuery,
  UsersExportQuery,
} from './exports.dto.js';
import { ExportsService } from './exports.service.js';

@ApiTags('Exports')
@Controller('v1')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  /** Downloads the users of the organization. */
  @Get('organizations/:organizationId/exports/users')
  @Allow('data:export')
  @ExportAnswer(EXPORT_EXAMPLES.users)
  users(
    @Req() request: FastifyRequest,
    @Param('organizationId') organizationId: string,
    @Query() query: UsersExportQuery,
  ): StreamableFile {
    return this.exports.users(request, organizationId, query);
  }

  /** Downloads the service accounts of the organization. */
  @Get('organizations/:organizationId/exports/service-accounts')
  @Allow('data:export')
  @ExportAnswer(EXPORT_EXAMPLES.serviceAccounts)
  serviceAccounts(
    @Req() request: FastifyRequest,
    @Param('organizationId') organizationId: string,
    @Query() query: ServiceAccountsExportQuery,
  ): StreamableFile {
    return this.exports.serviceAccounts(request, organizationId, query);
  }

  /** Downloads the keys of the organization's service accounts; never their tokens. */
  @Get('organizations/:organizationId/exports/keys')
  @Allow('data:export')
  @ExportAnswer(EXPORT_EXAMPLES.keys)
  keys(
    @Req() request: FastifyRequest,
    @Param('organizationId') organizationId: string,
    @Query() query: KeysExportQuery,
  ): StreamableFile {
    return this.exports.keys(request, organizationId, query);
  }

  /** Downloads the organization's audit trail, up to its end of now. */
  @Get('organizations/:organizationId/audit-events/export')
  @Allow('audit:read')
  @ExportAnswer(EXPORT_EXAMPLES.auditEvents)
  auditEvents(
    @Req() request: FastifyRequest,
    @Param('organizationId') organizationId: string,
    @Query() query: AuditEventsExportQuery,
  ): StreamableFile {
    return this.exports.auditEvents(request, organizationId, query);
  }

  /** Downloads the trail of what belongs to no organization, up to its end of now. */
  @Get('audit-events/export')
  @Allow('instanceAdministrator')
  @ExportAnswer(EXPORT_EXAMPLES.auditEvents)
  instanceAuditEvents(
    @Req() request: FastifyRequest,
    @Query() query: AuditEventsExportQuery,
  ): StreamableFile {
    return this.exports.auditEvents(request, null, query);
  }
}
