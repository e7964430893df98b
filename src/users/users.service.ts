import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { SessionsService } from '../auth/sessions.service.js';
import { newId } from '../crypto/id.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict, Problem, refused } from '../http/problem.js';
import { findRole, roleNamed } from '../roles/find-role.js';
import { findMember, lockMember, type Member, MEMBER_INCLUDE, toUser } from './member.js';
import { listMembers, positionOf } from './users-list.js';
import type {
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
  ) {}

  /**
   * Makes a user, and the person if nobody has this e-mail yet. Errors: 400 `unknown_role`; 403 for
   * a role beyond the caller's own permissions; 409 `email_taken`, which names the user who has it.
   */
  async create(actor: Actor, organizationId: string, input: UserCreateInput): Promise<User> {
    const newPersonId = newId('usr');
    const email = input.email.toLowerCase();
    return this.database.tenant(organizationId, async (tx) => {
      const role = await roleNamed(tx, organizationId, input.role);
      requireHeld(actor, role.permissions);
      const [{ id: userId } = { id: '' }] = await tx.$queryRaw<{ id: string }[]>`
        SELECT find_or_create_person(${newPersonId}, ${email}, ${input.name}) AS id`;
      const { count } = await tx.membership.createMany({
        data: {
          organizationId,
          userId,
          roleKey: role.key,
          attributes: input.attributes ?? {},
          createdByType: actor.type,
          createdById: actor.id,
          createdByName: actor.name,
        },
        skipDuplicates: true,
      });
      if (count === 0) throw emailTaken(userId);
      const member = await findMember(tx, organizationId, userId);
      record(tx, actor, 'user.created', about(member));
      return toUser(member);
    });
  }

  /** A page of the organization's users. */
  async list(organizationId: string, query: UsersQuery): Promise<Page<User>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'users', { ...filters });
    const position = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      listMembers(tx, organizationId, query, position as [string, string] | undefined),
    );
    const toPosition = (row: Member) => positionOf(row, query);
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
      const { role = before.roleKey, attributes = before.attributes } = input;
      if (role !== before.roleKey) await checkRoleChange(tx, actor, before, role);
      const after = { role, attributes };
      const changes = changesBetween({ ...before, role: before.roleKey }, { ...before, ...after }, [
        'role',
        'attributes',
      ]);
      if (changes === undefined) return toUser(before);
      const member = await save(tx, before, {
        roleKey: role,
        attributes: attributes as Prisma.InputJsonObject,
      });
      record(tx, actor, 'user.updated', { ...about(member), changes });
      return toUser(member);
    });
  }

  /**
   * Takes all access to the organization from a user, until enabled again. Errors: 403 for a user
   * with more permissions than the caller, 404, 409 `last_owner`.
   */
  async disable(actor: Actor, organizationId: string, userId: string): Promise<User> {
    const user = await this.database.tenant(organizationId, async (tx) => {
      await lockOwnership(tx, organizationId);
      const before = await lockMember(tx, organizationId, userId);
      await requireRoleHeld(tx, actor, before);
      await requireAnotherOwner(tx, before);
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
      await requireRoleHeld(tx, actor, before);
      if (before.status === 'invited') {
        throw conflict('not_disabled', 'The user has not accepted the invitation yet.');
      }
      return setStatus(tx, actor, before, 'active', 'user.enabled');
    });
  }

  /**
   * Removes a user from the organization; what they own goes on without an owner. Errors: 403 for a
   * user with more permissions than the caller, 404, 409 `last_owner`.
   */
  async remove(actor: Actor, organizationId: string, userId: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      await lockOwnership(tx, organizationId);
      const member = await lockMember(tx, organizationId, userId);
      await requireRoleHeld(tx, actor, member);
      await requireAnotherOwner(tx, member);
      await tx.membership.delete({
        where: { organizationId_userId: { organizationId, userId } },
        select: { userId: true },
      });
      record(tx, actor, 'user.removed', about(member));
    });
  }
}

/**
 * Whatever may take an owner's place away waits here for all others that do, so that of two owners
 * who demote each other only one succeeds. It does not hold up the organization's other work.
 */
async function lockOwnership(tx: Tx, organizationId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${organizationId} FOR NO KEY UPDATE`;
}

async function checkRoleChange(tx: Tx, actor: Actor, before: Member, role: string): Promise<void> {
  if (actor.type === 'user' && actor.id === before.userId) {
    throw refused('own_role', 'Nobody can change their own role.');
  }
  await requireRoleHeld(tx, actor, before);
  requireHeld(actor, (await roleNamed(tx, before.organizationId, role)).permissions);
  await requireAnotherOwner(tx, before);
}

/** Whoever has more permissions is out of reach. Errors: 403. */
async function requireRoleHeld(tx: Tx, actor: Actor, member: Member): Promise<void> {
  const role = await findRole(tx, member.organizationId, member.roleKey);
  requireHeld(actor, role?.permissions ?? []);
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

async function setStatus(
  tx: Tx,
  actor: Actor,
  before: Member,
  status: UserStatus,
  action: string,
): Promise<User> {
  if (before.status === status) return toUser(before);
  const member = await save(tx, before, { status });
  const changes = changesBetween(before, member, ['status']);
  record(tx, actor, action, { ...about(member), changes });
  return toUser(member);
}

async function save(
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

function about({ organizationId, user }: Member) {
  return { organizationId, targets: [{ type: 'user' as const, id: user.id, name: user.name }] };
}

function emailTaken(userId: string): Problem {
  const detail = `The user ${userId} has this e-mail already.`;
  return new Problem(409, 'email_taken', detail, {
    errors: [{ pointer: '/email', code: 'email_taken', detail: userId }],
  });
}
