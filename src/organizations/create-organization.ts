import { GENESIS_HASH } from '../audit/chain.js';
import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { BUILT_IN_ROLES } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import type { Organization } from '../generated/prisma/client.js';
import { shareSigningKeys } from '../signing-keys/signing-keys.sql.js';
import type { OrganizationSettingsInput } from './organizations.dto.js';

/** What a new organization is made of. */
export interface NewOrganization {
  /** `org_…` */
  id: string;
  name: string;
  settings?: OrganizationSettingsInput | undefined;
}

/**
 * Makes an organization in a transaction of `database.system()`: the row, its built-in roles, the
 * head of its own audit chain with `organization.created` as first event, and `ownerId` (a user
 * that exists) as its owner. The transaction must record nothing on another chain.
 */
export async function createOrganization(
  tx: Tx,
  actor: Actor,
  { id, name, settings = {} }: NewOrganization,
  ownerId: string,
): Promise<Organization> {
  await shareSigningKeys(tx);
  const organization = await tx.organization.create({ data: { id, name, ...settings } });
  await tx.role.createMany({
    data: Object.entries(BUILT_IN_ROLES).map(([key, role]) => ({
      organizationId: id,
      key,
      name: role.name,
      description: role.description,
      builtIn: true,
      permissions: [],
    })),
  });
  await tx.auditHead.create({ data: { chain: id, hash: new Uint8Array(GENESIS_HASH) } });
  await tx.membership.create({
    data: {
      organizationId: id,
      userId: ownerId,
      roleKey: 'owner',
      createdByType: actor.type,
      createdById: actor.id,
      createdByName: actor.name,
    },
  });
  record(tx, actor, 'organization.created', {
    organizationId: id,
    targets: [{ type: 'organization', id, name }],
  });
  return organization;
}
