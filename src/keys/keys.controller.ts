import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ENTITY_TAGS, ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import {
  AccountKeysQuery,
  Key,
  KeyCreateInput,
  KeyPage,
  KeyUpdateInput,
  KeyWithToken,
} from './keys.dto.js';
import { KeyUsagePage, KeyUsageQuery } from './key-usage.dto.js';
import { KeyUsageService } from './key-usage.service.js';
import { KeysService } from './keys.service.js';
import { KeyRotateInput, RotatedKey } from './rotate.dto.js';
import { RotationService } from './rotate.service.js';

const CREATE_EXAMPLES = {
  token: {
    summary: 'With a token',
    value: { name: 'Production 2027', expiresAt: '2027-11-23T00:00:00Z' },
  },
  publicKey: {
    summary: 'With a public key',
    value: {
      name: 'Production 2027',
      publicKey: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    },
  },
};
const ROTATE_EXAMPLES = {
  overlap: { summary: 'Both work for a day', value: { overlapSeconds: 86_400 } },
  atOnce: { summary: 'The old key ends at once', value: { overlapSeconds: 0 } },
};

@ApiTags('Keys')
@Controller('v1/organizations/:organizationId/service-accounts/:serviceAccountId/keys')
export class KeysController {
  constructor(
    private readonly keys: KeysService,
    private readonly rotation: RotationService,
    private readonly keyUsage: KeyUsageService,
  ) {}

  /** Creates a key. The answer is the only one that shows its token. */
  @Post()
  @Allow('keys:manage', { dangerous: true })
  @Creates(
    (key: KeyWithToken, path) =>
      `/v1/organizations/${path['organizationId']}/service-accounts/${key.serviceAccountId}/keys/${key.id}`,
  )
  @ApiBody({ type: KeyCreateInput, examples: CREATE_EXAMPLES })
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
  @Allow('keys:manage', { dangerous: true })
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

  /**
   * Revokes a key: no request begun after this is let in with it.
   *
   * @remarks A key that replaced it (`replacedById`) goes on: after a leak revoke that one, too.
   */
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

  /**
   * Replaces a key: makes its successor, whose token this answer alone shows, and lets the old one work on for a while.
   *
   * @remarks The successor has the old key's name, permissions and networks, and its lifetime again, from when it was
   * made to its expiry as it stands now: 90 days give 90 days from now, a key without expiry gives none, and neither lives
   * longer than the organization's `maxKeyLifetimeSeconds`. The old key ends after `overlapSeconds`, or earlier by itself; with 0 it has expired when this returns. Refused with
   * 409: `key_revoked`, `key_replaced` (it has a successor), `key_expired`, `key_limit` (too many replaced keys still work).
   */
  @Post(':keyId/rotate')
  @Allow('keys:manage', { dangerous: true })
  @Creates(
    (key: RotatedKey, path) =>
      `/v1/organizations/${path['organizationId']}/service-accounts/${key.serviceAccountId}/keys/${key.id}`,
  )
  @ApiBody({ type: KeyRotateInput, required: false, examples: ROTATE_EXAMPLES })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The entity tag of the old key (RFC 9110): 412 when it has changed since.',
    schema: ENTITY_TAGS,
    example: '"3-Hx0zTzCkAbc"',
  })
  rotate(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Param('keyId') keyId: string,
    @Body() input: KeyRotateInput,
  ): Promise<RotatedKey> {
    return this.rotation.rotate(actor, organizationId, serviceAccountId, keyId, input);
  }

  /**
   * Shows how a key is used, and beside it its successor and predecessor: by day, operation, address and client.
   *
   * @remarks Whoever still uses the old key is in `data`; when nobody does, it can be revoked. `keys` sums up. Counted behind the
   * requests: what other processes did in the last seconds may be missing, and what one had not yet written when it was
   * killed stays so. The audit trail has every request.
   */
  @Get(':keyId/usage')
  @Allow('keys:read')
  usage(
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Param('keyId') keyId: string,
    @Query() query: KeyUsageQuery,
  ): Promise<KeyUsagePage> {
    return this.keyUsage.read(organizationId, serviceAccountId, keyId, query);
  }
}
