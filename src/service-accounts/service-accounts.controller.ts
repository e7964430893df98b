import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { ServiceAccountUsage, ServiceAccountUsageQuery } from './account-usage.dto.js';
import { ServiceAccountUsageService } from './account-usage.service.js';
import {
  ServiceAccount,
  ServiceAccountCreated,
  ServiceAccountCreateInput,
  ServiceAccountPage,
  ServiceAccountsQuery,
  ServiceAccountUpdateInput,
} from './service-accounts.dto.js';
import { ServiceAccountsService } from './service-accounts.service.js';

const CREATE_EXAMPLES = {
  short: {
    summary: 'An account with its first key',
    value: { name: 'Salesforce Integration', role: 'provisioner' },
  },
  described: {
    summary: 'What it is for, and a first key that ends',
    value: {
      name: 'Salesforce Integration',
      role: 'provisioner',
      description: 'Keeps our customers in step with the CRM.',
      purpose: 'Nightly synchronization of accounts and contacts',
      systems: ['Salesforce'],
      labels: { team: 'sales', environment: 'production' },
      key: { name: 'Production 2027', expiresAt: '2027-11-23T00:00:00Z' },
    },
  },
};

@ApiTags('Service accounts')
@Controller('v1/organizations/:organizationId/service-accounts')
export class ServiceAccountsController {
  constructor(
    private readonly serviceAccounts: ServiceAccountsService,
    private readonly accountUsage: ServiceAccountUsageService,
  ) {}

  /** Creates a service account with its first key. The answer is the only one that shows the token. */
  @Post()
  @Allow('service-accounts:manage', { dangerous: true })
  @Creates(
    ({ serviceAccount }: ServiceAccountCreated) =>
      `/v1/organizations/${serviceAccount.organizationId}/service-accounts/${serviceAccount.id}`,
  )
  @ApiBody({ type: ServiceAccountCreateInput, examples: CREATE_EXAMPLES })
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: ServiceAccountCreateInput,
  ): Promise<ServiceAccountCreated> {
    return this.serviceAccounts.create(actor, organizationId, input);
  }

  /** Lists the organization's service accounts by name. */
  @Get()
  @Allow('service-accounts:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: ServiceAccountsQuery,
  ): Promise<ServiceAccountPage> {
    return this.serviceAccounts.list(organizationId, query);
  }

  /** Shows one service account. */
  @Get(':serviceAccountId')
  @Allow('service-accounts:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
  ): Promise<ServiceAccount> {
    return this.serviceAccounts.get(organizationId, serviceAccountId);
  }

  /** Changes a service account; what is left out stays as it is. */
  @Patch(':serviceAccountId')
  @Allow('service-accounts:manage', { dangerous: true })
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Body() input: ServiceAccountUpdateInput,
  ): Promise<ServiceAccount> {
    return this.serviceAccounts.update(actor, organizationId, serviceAccountId, input);
  }

  /** Deletes a service account and revokes all its keys; its name becomes free. */
  @Delete(':serviceAccountId')
  @Allow('service-accounts:manage', { dangerous: true })
  @ETagged()
  @HttpCode(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
  ): Promise<void> {
    return this.serviceAccounts.delete(actor, organizationId, serviceAccountId);
  }

  /** Disables a service account: its keys are refused until it is enabled. */
  @Post(':serviceAccountId/disable')
  @Allow('service-accounts:manage')
  @ETagged()
  @HttpCode(200)
  disable(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
  ): Promise<ServiceAccount> {
    return this.serviceAccounts.disable(actor, organizationId, serviceAccountId);
  }

  /** Enables a service account that was disabled. */
  @Post(':serviceAccountId/enable')
  @Allow('service-accounts:manage', { dangerous: true })
  @ETagged()
  @HttpCode(200)
  enable(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
  ): Promise<ServiceAccount> {
    return this.serviceAccounts.enable(actor, organizationId, serviceAccountId);
  }

  /**
   * Shows how much a service account is used, day by day, and when, from where and with which key it was last used.
   *
   * @remarks Sums over all its keys, revoked ones too; `keys_usage` tells them apart by operation, address and client. Days without use
   * are zeros. Counted behind the requests: what other processes did in the last seconds may be missing, and what one had not yet
   * written when it was killed stays so. The audit trail has every request.
   */
  @Get(':serviceAccountId/usage')
  @Allow('keys:read')
  usage(
    @Param('organizationId') organizationId: string,
    @Param('serviceAccountId') serviceAccountId: string,
    @Query() query: ServiceAccountUsageQuery,
  ): Promise<ServiceAccountUsage> {
    return this.accountUsage.read(organizationId, serviceAccountId, query);
  }
}
