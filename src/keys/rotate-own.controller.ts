import { Body, Controller, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { OwnKeyRotateInput, RotatedKey } from './rotate.dto.js';
import { RotationService } from './rotate.service.js';

@ApiTags('Me')
@Controller('v1/me/key')
export class OwnKeyController {
  constructor(private readonly rotation: RotationService) {}

  /**
   * Replaces the key that the request is made with: for integrations that rotate by themselves.
   *
   * @remarks As `keys_rotate`, but the successor can do no more than the old key, and no other permission is needed. The old key works
   * on for at least 10 minutes, unless its own expiry is nearer (`overlapEndsAt` says when it ends), so that a lost answer can
   * be had again with the same `Idempotency-Key`. An access token cannot rotate its key: 403 `key_needed`.
   */
  @Post('rotate')
  @Allow('keys:rotate-own')
  @ApiOperation({ operationId: 'me_rotateKey' })
  @ApiBody({ type: OwnKeyRotateInput, required: false })
  @Creates((key: RotatedKey, _path, request) => locationOf(key, request))
  rotate(@CurrentActor() actor: Actor, @Body() input: OwnKeyRotateInput): Promise<RotatedKey> {
    return this.rotation.rotateOwn(actor, input);
  }
}

/** The path does not name the organization; the caller's credential does. */
function locationOf({ serviceAccountId, id }: RotatedKey, { actor }: FastifyRequest): string {
  if (actor?.credential?.kind !== 'key') throw new Error('only keys rotate themselves');
  const { organizationId } = actor.credential;
  return `/v1/organizations/${organizationId}/service-accounts/${serviceAccountId}/keys/${id}`;
}
