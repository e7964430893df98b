import { isId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { notFound } from '../http/problem.js';

/** What decisions about an account and its keys need to know of it. */
export interface FoundAccount {
  id: string;
  name: string;
  roleKey: string;
  /** `active` or `disabled`. */
  status: string;
}

/** A living service account. Errors: 404, for deleted ones too. */
export async function findAccount(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<FoundAccount> {
  const account = isId('sa', id)
    ? await tx.serviceAccount.findFirst({
        where: { organizationId, id, deletedAt: null },
        select: { id: true, name: true, roleKey: true, status: true },
      })
    : null;
  if (account === null) throw notFound('service account');
  return account;
}

/**
 * A living service account, locked until the transaction ends: whatever counts, makes, changes or
 * ends its keys does this first, so that these happen one after the other. Errors: 404.
 */
export async function lockAccount(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<FoundAccount> {
  const [account] = isId('sa', id)
    ? await tx.$queryRaw<FoundAccount[]>`
        SELECT id, name, role_key AS "roleKey", status FROM service_accounts
        WHERE organization_id = ${organizationId} AND id = ${id} AND deleted_at IS NULL FOR UPDATE`
    : [];
  if (account === undefined) throw notFound('service account');
  return account;
}
