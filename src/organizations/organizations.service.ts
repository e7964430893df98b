import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { newId } from '../crypto/id.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import type { Organization as OrganizationRow, Prisma } from '../generated/prisma/client.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { notFound } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { createOrganization } from './create-organization.js';
import { listedOrganizationIds } from './organization-access.js';
import {
  type Organization,
  type OrganizationCreateInput,
  type OrganizationSettingsInput,
  type OrganizationsQuery,
  type OrganizationUpdateInput,
  toOrganization,
} from './organizations.dto.js';

const SETTING_FIELDS = [
  'name',
  'maxKeysPerServiceAccount',
  'maxKeyLifetimeSeconds',
  'requestsPerMinute',
] as const;

/** Organizations: made and suspended by instance administrators, run by their own people. */
@Injectable()
export class OrganizationsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly cursors: CursorCodec,
  ) {}

  /** Makes an organization that the caller owns. */
  async create(actor: Actor, input: OrganizationCreateInput): Promise<Organization> {
    const organization = { id: newId('org'), name: input.name, settings: input.settings };
    const work = async (tx: Tx) =>
      toOrganization(await createOrganization(tx, actor, organization, actor.id ?? ''));
    // The tenant's role cannot make tenants.
    return this.database.system(idempotent(actor, work));
  }

  /** The organizations that the caller belongs to and may read; all, for an instance administrator. */
  async list(actor: Actor, query: OrganizationsQuery): Promise<Page<Organization>> {
    const { limit, after, ...filters } = query;
    const { column, direction } = orderOf(query.sort);
    const scope = cursorScope(`caller:${actor.id}`, 'organizations', { ...filters });
    const position = after === undefined ? undefined : this.cursors.decode(scope, after);
    const where: Prisma.OrganizationWhereInput = {
      deletedAt: null,
      AND: [
        actor.instanceAdministrator ? {} : { id: { in: listedOrganizationIds(actor) } },
        query.status === undefined ? {} : { status: query.status },
        query.search === undefined ? {} : { name: containing(query.search) },
        position === undefined ? {} : beyond(column, direction, position as [string, string]),
      ],
    };
    const rows = await this.database.system((tx) =>
      tx.organization.findMany({
        where,
        orderBy: [{ [column]: direction }, { id: direction }],
        take: limit + 1,
      }),
    );
    const toPosition = (row: OrganizationRow) => [row[column], row.id];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toOrganization);
  }

  /** One organization. Errors: 404. */
  async get(organizationId: string): Promise<Organization> {
    return this.database.tenant(organizationId, async (tx) => {
      const row = await tx.organization.findFirst({
        where: { id: organizationId, deletedAt: null },
      });
      if (row === null) throw notFound('organization');
      return toOrganization(row);
    });
  }

  /** Changes name and settings; what is left out stays. Errors: 404. */
  async update(
    actor: Actor,
    organizationId: string,
    input: OrganizationUpdateInput,
  ): Promise<Organization> {
    return this.database.tenant(organizationId, async (tx) => {
      const before = await lockOrganization(tx, actor, organizationId);
      const wanted = given({ ...input.settings, name: input.name });
      const changes = changesBetween(before, { ...before, ...wanted }, SETTING_FIELDS);
      if (changes === undefined) return toOrganization(before);
      const row = await save(tx, organizationId, wanted);
      record(tx, actor, 'organization.updated', { ...about(row), changes });
      // Cached credentials carry the organization's name, which `/v1/me` shows, and its limit.
      if (changes['name'] ?? changes['requestsPerMinute']) raiseEpoch(tx);
      return toOrganization(row);
    });
  }

  /** Deletes the organization for everybody; its rows and its trail stay. Errors: 404. */
  async delete(actor: Actor, organizationId: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      await lockOrganization(tx, actor, organizationId);
      const row = await save(tx, organizationId, { deletedAt: await databaseNow(tx) });
      record(tx, actor, 'organization.deleted', about(row));
      raiseEpoch(tx);
    });
  }

  /** Refuses the organization's keys and locks its members out until it is resumed. Errors: 404. */
  suspend(actor: Actor, organizationId: string): Promise<Organization> {
    return this.setStatus(actor, organizationId, 'suspended', 'organization.suspended');
  }

  /** Ends a suspension: its keys work again. Errors: 404. */
  resume(actor: Actor, organizationId: string): Promise<Organization> {
    return this.setStatus(actor, organizationId, 'active', 'organization.resumed');
  }

  private async setStatus(
    actor: Actor,
    organizationId: string,
    status: 'active' | 'suspended',
    action: string,
  ): Promise<Organization> {
    return this.database.system(async (tx) => {
      const before = await lockOrganization(tx, actor, organizationId);
      if (before.status === status) return toOrganization(before);
      const row = await save(tx, organizationId, { status });
      const changes = changesBetween(before, row, ['status']);
      record(tx, actor, action, { ...about(row), changes });
      raiseEpoch(tx);
      return toOrganization(row);
    });
  }
}

/** Without the properties that were left out: a validated input has them as `undefined`. */
function given(input: OrganizationSettingsInput & { name: string | undefined }) {
  const entries = Object.entries(input).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as OrganizationSettingsInput & { name?: string };
}

/** The living organization, locked until the transaction ends. Errors: 404, 412. */
async function lockOrganization(tx: Tx, actor: Actor, id: string): Promise<OrganizationRow> {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${id} FOR UPDATE`;
  const row = await tx.organization.findFirst({ where: { id, deletedAt: null } });
  if (row === null) throw notFound('organization');
  await requireMatch(actor, () => toOrganization(row));
  return row;
}

async function save(
  tx: Tx,
  id: string,
  data: Prisma.OrganizationUpdateInput,
): Promise<OrganizationRow> {
  const updatedAt = await databaseNow(tx);
  return tx.organization.update({
    where: { id },
    data: { ...data, updatedAt, version: { increment: 1 } },
  });
}

function about({ id, name }: OrganizationRow) {
  return { organizationId: id, targets: [{ type: 'organization' as const, id, name }] };
}

function orderOf(sort: OrganizationsQuery['sort']): {
  column: 'name' | 'createdAt';
  direction: 'asc' | 'desc';
} {
  const direction = sort?.startsWith('-') ? 'desc' : 'asc';
  return { column: sort?.endsWith('name') ? 'name' : 'createdAt', direction };
}

function beyond(
  column: 'name' | 'createdAt',
  direction: 'asc' | 'desc',
  [value, id]: [string, string],
): Prisma.OrganizationWhereInput {
  const past = direction === 'asc' ? 'gt' : 'lt';
  const start = column === 'createdAt' ? new Date(value) : value;
  return { OR: [{ [column]: { [past]: start } }, { [column]: start, id: { [past]: id } }] };
}

/** Prisma hands `%`, `_` and `\` through to ILIKE as they are. */
function containing(search: string): Prisma.StringFilter {
  return { contains: search.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' };
}
