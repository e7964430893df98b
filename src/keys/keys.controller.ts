import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import {
  AccountKeysQuery,
  Key,
  KeyCreateInput,
  KeyPage,
  KeyUpdateInput,
  KeyWithToken,
} from './keys.dto.js';
import { KeysService } from './keys.service.js';

@ApiTags('Keys')
@Controller('v1/organizations/:organizationId/service-accounts/:serviceAccountId/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  /** Creates a key. The answer is the only one that shows its token. */
  @Post()
  @Allow('keys:manage')
  @Creates(
    (key: KeyWithToken, path) =>
      `/v1/organizations/${path['organizationId']}/service-accounts/${key.serviceAccountId}/keys/${key.id}`,
  )
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Body() input: KeyCreateInput,
  ): Promise<KeyWithToken> {
    return this.keys.create(actor, organizationId, serviceAccountId, input);
  }

  /** Lists the keys of a service account, newest first. */
  @Get()
  @Allow('keys:read')
  list(
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Query() query: AccountKeysQuery,
  ): Promise<KeyPage> {
    return this.keys.list(organizationId, serviceAccountId, query);
  }

  /** Shows one key, its token obfuscated. */
  @Get(':keyId')
  @Allow('keys:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Param('keyId') keyId: string,
  ): Promise<Key> {
    return this.keys.get(organizationId, serviceAccountId, keyId);
  }

  /** Changes a key's name or limits; what is left out stays as it is. */
  @Patch(':keyId')
  @Allow('keys:manage')
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Param('keyId') keyId: string,
    @Body() input: KeyUpdateInput,
  ): Promise<Key> {
    return this.keys.update(actor, organizationId, serviceAccountId, keyId, input);
  }

  /** Revokes a key: no request begun after this is let in with it. */
  @Delete(':keyId')
  @Allow('keys:manage')
  @ETagged()
  @HttpCode(204)
  revoke(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Param('keyId') keyId: string,
  ): Promise<void> {
    return this.keys.revoke(actor, organizationId, serviceAccountId, keyId);
  }
}
