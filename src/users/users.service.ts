import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { SessionsService } from '../auth/sessions.service.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict, refused } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import type { IssuedInvitation } from '../invitations/invitations.dto.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { revokeWaiting } from '../invitations/invitations.sql.js';
import { findRoles, unknownRole } from '../roles/find-role.js';
import { addMember } from './add-member.js';
import {
  aboutMember,
  findMember,
  lockMember,
  type Member,
  MEMBER_INCLUDE,
  requireRoleHeld,
  shownName,
  toUser,
} from './member.js';
import { type ListedMember, listMembers } from './users-list.js';
import type {
  CreatedUser,
  User,
  UserCreateInput,
  UsersQuery,
  UserStatus,
  UserUpdateInput,
} from './users.dto.js';

const OWNER = 'owner';

/**
 * The users of an organization: people, by their membership in it. A person's e-mail, name and
 * password are their own; role, status and attributes are the organization's.
 */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: DatabaseService,
    private readonly cursors: CursorCodec,
    private readonly sessions: SessionsService,
    private readonly invitations: InvitationsService,
  ) {}

  /**
   * Makes a user, and the person if nobody has this e-mail yet: active at once, or with an invitation.
   * The answer is the same for a person who exists elsewhere. Errors: 400 `unknown_role`; 403 for a
   * role beyond the caller's own permissions; 409 `email_taken`, which names the user who has it.
   */
  async create(
    actor: Actor,
    organizationId: string,
    { invite = false, ...input }: UserCreateInput,
  ): Promise<CreatedUser> {
    if (invite) return this.invitations.createUser(actor, organizationId, input);
    const work = async (tx: Tx) => {
      const member = await addMember(tx, actor, organizationId, input, 'active');
      record(tx, actor, 'user.created', aboutMember(member));
      return { ...toUser(member), name: input.name, lastLoginAt: null };
    };
    return this.database.tenant(organizationId, idempotent(actor, work));
  }

  /** A page of the organization's users. */
  async list(organizationId: string, query: UsersQuery): Promise<Page<User>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'users-in-any-case', { ...filters });
    const position = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      listMembers(tx, organizationId, query, position),
    );
    const toPosition = (row: ListedMember) => [row.position, row.userId];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toUser);
  }

  /** One user. Errors: 404. */
  get(organizationId: string, userId: string): Promise<User> {
    return this.database.tenant(organizationId, async (tx) =>
      toUser(await findMember(tx, organizationId, userId)),
    );
  }

  /**
   * Changes role and attributes; what is left out stays. Errors: 400 `unknown_role`, 403 `own_role`
   * or for a role (old or new) beyond the caller's own permissions, 404, 409 `last_owner`.
   */
  async update(
    actor: Actor,
    organizationId: string,
    userId: string,
    input: UserUpdateInput,
  ): Promise<User> {
    return this.database.tenant(organizationId, async (tx) => {
      if (input.role !== undefined) await lockOwnership(tx, organizationId);
      const before = await lockMember(tx, organizationId, userId);
      await requireMatch(actor, () => toUser(before));
      const { role = before.roleKey, attributes = before.attributes } = input;
      if (role !== before.roleKey) await checkRoleChange(tx, actor, before, role);
      const after = { role, attributes };
      const changes = changesBetween({ ...before, role: before.roleKey }, { ...before, ...after }, [
        'role',
        'attributes',
      ]);
      if (changes === undefined) return toUser(before);
      const member = await saveMember(tx, before, {
        roleKey: role,
        attributes: attributes as Prisma.InputJsonObject,
      });
      record(tx, actor, 'user.updated', { ...aboutMember(member), changes });
      return toUser(member);
    });
  }

  /**
   * Takes all access to the organization from a user, until enabled again; an invitation that waits
   * is revoked. Errors: 403 for a user with more permissions than the caller, 404, 409 `last_owner`.
   */
  async disable(actor: Actor, organizationId: string, userId: string): Promise<User> {
    const user = await this.database.tenant(organizationId, async (tx) => {
      await lockOwnership(tx, organizationId);
      const before = await lockMember(tx, organizationId, userId);
      await requireMatch(actor, () => toUser(before));
      await requireRoleHeld(tx, actor, before);
      await requireAnotherOwner(tx, before);
      if (before.status === 'invited') await revokeWaiting(tx, before);
      return setStatus(tx, actor, before, 'disabled', 'user.disabled');
    });
    await this.sessions.endIfLockedOut(actor, userId);
    return user;
  }

  /**
   * Gives a disabled user their access back. Errors: 403 for a user with more permissions than the
   * caller, 404, 409 `not_disabled` for one who has not accepted the invitation.
   */
  enable(actor: Actor, organizationId: string, userId: string): Promise<User> {
    return this.database.tenant(organizationId, async (tx) => {
      const before = await lockMember(tx, organizationId, userId);
      await requireMatch(actor, () => toUser(before));
      await requireRoleHeld(tx, actor, before);
      if (before.status === 'invited') {
        throw conflict('not_disabled', 'The user has not accepted the invitation yet.');
      }
      return setStatus(tx, actor, before, 'active', 'user.enabled');
    });
  }

  /**
   * Invites a user who was made active at once and has not accepted an invitation here: `invited` until they do. Errors: 403 for
   * a user with more permissions than the caller, 404, 409 `not_invitable` naming why, `last_owner`.
   */
  async invite(actor: Actor, organizationId: string, userId: string): Promise<IssuedInvitation> {
    const invitation = await this.invitations.invite(actor, organizationId, async (tx) => {
      await lockOwnership(tx, organizationId);
      const before = await lockMember(tx, organizationId, userId);
      await requireMatch(actor, () => toUser(before));
      await requireRoleHeld(tx, actor, before);
      requireInvitable(actor, before);
      await requireAnotherOwner(tx, before);
      return saveMember(tx, before, { status: 'invited', invitedName: shownName(before) });
    });
    await this.sessions.endIfLockedOut(actor, userId);
    return invitation;
  }

  /**
   * Removes a user from the organization; what they own goes on without an owner, an invitation that
   * waits is revoked. Errors: 403 for a user with more permissions than the caller, 404, 409
   * `last_owner`.
   */
  async remove(actor: Actor, organizationId: string, userId: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      await lockOwnership(tx, organizationId);
      const member = await lockMember(tx, organizationId, userId);
      await requireMatch(actor, () => toUser(member));
      await requireRoleHeld(tx, actor, member);
      await requireAnotherOwner(tx, member);
      if (member.status === 'invited') await revokeWaiting(tx, member);
      await tx.membership.delete({
        where: { organizationId_userId: { organizationId, userId } },
        select: { userId: true },
      });
      record(tx, actor, 'user.removed', aboutMember(member));
    });
  }
}

/**
 * Whatever may take an owner's place away waits here for all others that do, so that of two owners
 * who demote each other only one succeeds. It does not hold up the organization's other work.
 */
export async function lockOwnership(tx: Tx, organizationId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${organizationId} FOR NO KEY UPDATE`;
}

/** Errors: 400 `unknown_role`, 403 `own_role` or for a role beyond the caller's own, 409 `last_owner`. */
export async function checkRoleChange(
  tx: Tx,
  actor: Actor,
  before: Member,
  role: string,
): Promise<void> {
  if (actor.type === 'user' && actor.id === before.userId) {
    throw refused('own_role', 'Nobody can change their own role.');
  }
  const roles = await findRoles(tx, before.organizationId, [before.roleKey, role]);
  requireHeld(actor, roles.get(before.roleKey)?.permissions ?? []);
  const wanted = roles.get(role);
  if (wanted === undefined) throw unknownRole('/role');
  requireHeld(actor, wanted.permissions);
  await requireAnotherOwner(tx, before);
}

/** An organization always keeps one active owner. Errors: 409 `last_owner`. */
async function requireAnotherOwner(tx: Tx, { organizationId, userId, ...member }: Member) {
  if (member.roleKey !== OWNER || member.status !== 'active') return;
  const other = await tx.membership.findFirst({
    where: { organizationId, roleKey: OWNER, status: 'active', userId: { not: userId } },
    select: { userId: true },
  });
  if (other === null) {
    throw conflict('last_owner', 'The organization must keep one active owner.');
  }
}

/** Errors: 409 `not_invitable`. */
function requireInvitable(actor: Actor, { userId, status, acceptedAt }: Member): void {
  const refuse = (detail: string): never => {
    throw conflict('not_invitable', detail);
  };
  if (status === 'invited') refuse('The user is invited already: resend the invitation.');
  if (status === 'disabled') refuse('The user is disabled: enable them first.');
  if (acceptedAt !== null) refuse('The user has accepted an invitation already.');
  if (actor.type === 'user' && actor.id === userId) refuse('You are in already.');
}

async function setStatus(
  tx: Tx,
  actor: Actor,
  before: Member,
  status: UserStatus,
  action: string,
): Promise<User> {
  if (before.status === status) return toUser(before);
  // Whoever is active is known by their own name.
  const shown = status === 'active' ? { invitedName: null } : {};
  const member = await saveMember(tx, before, { status, ...shown });
  const changes = changesBetween(before, member, ['status']);
  record(tx, actor, action, { ...aboutMember(member), changes });
  return toUser(member);
}

/** Changes a locked member, by the database's clock. */
export async function saveMember(
  tx: Tx,
  { organizationId, userId }: Member,
  data: Prisma.MembershipUncheckedUpdateInput,
): Promise<Member> {
  const updatedAt = await databaseNow(tx);
  return tx.membership.update({
    where: { organizationId_userId: { organizationId, userId } },
    data: { ...data, updatedAt, version: { increment: 1 } },
    include: MEMBER_INCLUDE,
  });
}
