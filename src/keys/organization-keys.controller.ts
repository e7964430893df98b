import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/allow.decorator.js';
import { KeyPage, KeysQuery } from './keys.dto.js';
import { KeysService } from './keys.service.js';

@ApiTags('Keys')
@Controller('v1/organizations/:organizationId/keys')
export class OrganizationKeysController {
  constructor(private readonly keys: KeysService) {}

  /** Lists the keys of all service accounts of the organization, newest first. */
  @Get()
  @Allow('keys:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: KeysQuery,
  ): Promise<KeyPage> {
    return this.keys.listAll(organizationId, query);
  }
}
