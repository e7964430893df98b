import { Inject, Injectable } from '@nestjs/common';
import type { AuditTarget } from '../audit/event.js';
import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { CONFIG, type Config } from '../config.js';
import { isId } from '../crypto/id.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict, notFound, type Problem } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { Mailer } from '../mail/mailer.js';
import { addMember, type NewMember } from '../users/add-member.js';
import { aboutMember, findMember, type Member, requireRoleHeld, toUser } from '../users/member.js';
import type { User } from '../users/users.dto.js';
import { invitationMail } from './invitation-mail.js';
import { type MintedInvitation, mintInvitation } from './invitation-token.js';
import {
  type Invitation,
  type InvitationsQuery,
  type IssuedInvitation,
  toInvitation,
} from './invitations.dto.js';
import {
  insertInvitation,
  type InvitationRow,
  type ListedInvitation,
  lockInvitation,
  readInvitation,
  renewInvitation,
  revokeWaiting,
  selectInvitations,
} from './invitations.sql.js';

/** An invitation with its token, before it is mailed. */
type ShownInvitation = Omit<IssuedInvitation, 'mailed'>;

/** Invitations of an organization. Each stands beside a membership of status `invited`. */
@Injectable()
export class InvitationsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly cursors: CursorCodec,
    private readonly mailer: Mailer,
  ) {}

  /** Invites somebody, as {@link createUser}; answers the invitation alone. */
  async create(actor: Actor, organizationId: string, input: NewMember): Promise<IssuedInvitation> {
    const minted = mintInvitation(this.instance);
    const work = async (tx: Tx) =>
      (await this.add(tx, actor, organizationId, input, minted)).invitation;
    const invitation = await this.database.tenant(organizationId, idempotent(actor, work));
    return this.mailed(actor, organizationId, invitation);
  }

  /**
   * Makes a user of status `invited` with an invitation for 7 days, whose token only this answer and
   * the mail show. Somebody who is a member elsewhere is invited with the same work and answer. A
   * retry is mailed again: the first time may have ended before that. Errors: 400 `unknown_role`; 403
   * for a role beyond the caller's own permissions; 409 `email_taken`.
   */
  async createUser(
    actor: Actor,
    organizationId: string,
    input: NewMember,
  ): Promise<User & { invitation: IssuedInvitation }> {
    const minted = mintInvitation(this.instance);
    const work = async (tx: Tx) => {
      const { member, invitation } = await this.add(tx, actor, organizationId, input, minted);
      return { ...toUser(member), invitation };
    };
    const user = await this.database.tenant(organizationId, idempotent(actor, work));
    return { ...user, invitation: await this.mailed(actor, organizationId, user.invitation) };
  }

  /** A page of the organization's invitations. */
  async list(organizationId: string, query: InvitationsQuery): Promise<Page<Invitation>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'invitations', { ...filters });
    const position = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      selectInvitations(tx, organizationId, query, position),
    );
    const toPosition = (row: ListedInvitation) => [row.position, row.id];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toInvitation);
  }

  /** One invitation. Errors: 404. */
  get(organizationId: string, id: string): Promise<Invitation> {
    return this.database.tenant(organizationId, async (tx) =>
      toInvitation(await readInvitation(tx, organizationId, id)),
    );
  }

  /**
   * Gives an invitation that waits or has expired a new token for 7 days, which only this answer and
   * the mail show; the old token is void. Errors: 403 for a user with more permissions than the
   * caller; 404; 409 `invitation_accepted`, `invitation_revoked`.
   */
  async resend(actor: Actor, organizationId: string, id: string): Promise<IssuedInvitation> {
    if (!isId('inv', id)) throw notFound('invitation');
    const minted = mintInvitation(this.instance, id);
    const invitation = await this.database.tenant(organizationId, async (tx) => {
      const before = await lockInvitation(tx, organizationId, id);
      await requireMatch(actor, () => toInvitation(before));
      if (before.status === 'revoked') {
        throw conflict('invitation_revoked', 'The invitation has been revoked.');
      }
      if (before.status === 'accepted') throw accepted();
      const member = await findMember(tx, organizationId, before.userId);
      await requireRoleHeld(tx, actor, member);
      const row = await renewInvitation(tx, organizationId, minted);
      record(tx, actor, 'invitation.resent', aboutInvitation(id, member));
      return this.show(row, minted.token);
    });
    return this.mailed(actor, organizationId, invitation);
  }

  /**
   * Revokes an invitation; the user who has not accepted it goes with it. Revoking again does
   * nothing. Errors: 403 for a user with more permissions than the caller; 404; 409
   * `invitation_accepted`.
   */
  async revoke(actor: Actor, organizationId: string, id: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const before = await lockInvitation(tx, organizationId, id);
      await requireMatch(actor, () => toInvitation(before));
      const { status, userId } = before;
      if (status === 'revoked') return;
      if (status === 'accepted') throw accepted();
      const member = await findMember(tx, organizationId, userId);
      await requireRoleHeld(tx, actor, member);
      await revokeWaiting(tx, member);
      await tx.membership.delete({
        where: { organizationId_userId: { organizationId, userId } },
        select: { userId: true },
      });
      record(tx, actor, 'invitation.revoked', aboutInvitation(id, member));
    });
  }

  private async add(
    tx: Tx,
    actor: Actor,
    organizationId: string,
    input: NewMember,
    minted: MintedInvitation,
  ): Promise<{ member: Member; invitation: ShownInvitation }> {
    const member = await addMember(tx, actor, organizationId, input, 'invited');
    const row = await insertInvitation(tx, actor, member, minted);
    const { targets } = aboutMember(member);
    record(tx, actor, 'user.invited', {
      organizationId,
      targets: [...targets, invitationTarget(minted.id, member)],
    });
    return { member, invitation: this.show(row, minted.token) };
  }

  private show(row: InvitationRow, token: string): ShownInvitation {
    const link = `${this.config.publicUrl}/invitation#token=${token}`;
    return { ...toInvitation(row), token, link };
  }

  /** Mails an invitation that has been committed, and says whether that worked. */
  private async mailed(
    actor: Actor,
    organizationId: string,
    invitation: ShownInvitation,
  ): Promise<IssuedInvitation> {
    const { email: to, link } = invitation;
    const organizationName = organizationNameOf(actor, organizationId);
    const letter = { to, link, organizationName, inviterName: actor.name };
    return { ...invitation, mailed: await this.mailer.send(invitationMail(letter)) };
  }
}

/** The invitation as an event's target, under the name of the member. */
export function invitationTarget(id: string, member: Member): AuditTarget {
  const name = member.invitedName ?? member.user.name;
  return { type: 'invitation', id, name };
}

function aboutInvitation(id: string, member: Member) {
  const { organizationId, targets } = aboutMember(member);
  return { organizationId, targets: [invitationTarget(id, member), ...targets] };
}

/** The name of the organization that a caller has been let into. */
function organizationNameOf({ credential }: Actor, organizationId: string): string {
  if (credential?.kind === 'key') return credential.organizationName;
  const own = credential?.memberships.find((one) => one.organizationId === organizationId);
  return own?.organizationName ?? 'an organization';
}

function accepted(): Problem {
  return conflict('invitation_accepted', 'The invitation has been accepted: remove the user.');
}
