import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import { requireHeld } from '../auth/grant.js';
import { newPersonId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { Problem } from '../http/problem.js';
import { roleNamed } from '../roles/find-role.js';
import type { Attributes } from './attributes.js';
import { findMember, type Member } from './member.js';

/** Whom an organization takes in. */
export interface NewMember {
  /** In any case. */
  email: string;
  name: string;
  /** The key of a role. */
  role: string;
  attributes?: Attributes | undefined;
}

/**
 * Makes a membership, and the person if nobody has this e-mail yet; the work is the same either way.
 * Errors: 400 `unknown_role`; 403 for a role beyond the caller's own permissions; 409 `email_taken`,
 * which names the user who has it.
 */
export async function addMember(
  tx: Tx,
  actor: Actor,
  organizationId: string,
  { email, name, role: roleKey, attributes = {} }: NewMember,
  status: 'active' | 'invited',
): Promise<Member> {
  const role = await roleNamed(tx, organizationId, roleKey);
  requireHeld(actor, role.permissions);
  const [{ id: userId } = { id: '' }] = await tx.$queryRaw<{ id: string }[]>`
    SELECT find_or_create_person(${newPersonId()}, ${email.toLowerCase()}, ${name}) AS id`;
  const { count } = await tx.membership.createMany({
    data: {
      organizationId,
      userId,
      roleKey,
      status,
      attributes,
      invitedName: status === 'invited' ? name : null,
      ...creatorOf(actor),
    },
    skipDuplicates: true,
  });
  if (count === 0) throw emailTaken(userId);
  return findMember(tx, organizationId, userId);
}

function emailTaken(userId: string): Problem {
  const detail = `The user ${userId} has this e-mail already.`;
  return new Problem(409, 'email_taken', detail, {
    errors: [{ pointer: '/email', code: 'email_taken', detail: userId }],
  });
}
