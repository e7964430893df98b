import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { SigningKey, SigningKeyList, SigningKeyRotationInput } from './signing-keys.dto.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('Instance')
@Controller('v1/signing-keys')
export class SigningKeysController {
  constructor(private readonly signingKeys: SigningKeysService) {}

  /** Lists the keys that access tokens are signed with, newest first. */
  @Get()
  @Allow('instanceAdministrator')
  async list(): Promise<SigningKeyList> {
    return { data: await this.signingKeys.list() };
  }

  /**
   * Makes the next signing key. It is published at once and signs an hour later; keys rotate by themselves every 90 days.
   * After a leak send `revokeOld`: the new key signs at once, and all access tokens made before are refused.
   */
  @Post('rotate')
  @Allow('instanceAdministrator', { dangerous: true })
  @ApiBody({ type: SigningKeyRotationInput, required: false })
  @HttpCode(200)
  rotate(
    @CurrentActor() actor: Actor,
    @Body() { revokeOld = false }: SigningKeyRotationInput,
  ): Promise<SigningKey> {
    return this.signingKeys.rotate(actor, revokeOld);
  }
}
