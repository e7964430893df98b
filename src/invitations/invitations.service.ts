import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
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
import { idempotent, isReplay } from '../idempotency/idempotent.js';
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
  noteMailed,
  readInvitation,
  renewInvitation,
  revokeWaiting,
  selectInvitations,
  wasMailed,
} from './invitations.sql.js';

/** Invitations that one process mails to one person within an hour: nobody is to be pestered through this server. */
const MAX_MAILS_AN_HOUR = 10;
const HOUR_MS = 3_600_000;
/** Whose mails are counted; the longest ago are forgotten first. */
const MAX_COUNTED = 10_000;

/** An invitation with its token, before it is mailed. */
type ShownInvitation = Omit<IssuedInvitation, 'mailed'>;

/** Invitations of an organization. Each stands beside a membership of status `invited`. */
@Injectable()
export class InvitationsService {
  private readonly logger = new Logger('Invitations');
  /** Mails by address, in hours that begin with the first. */
  private readonly mails = new LRUCache<string, number>({
    max: MAX_COUNTED,
    ttl: HOUR_MS,
    noUpdateTTL: true,
  });

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly cursors: CursorCodec,
    private readonly mailer: Mailer,
  ) {}

  /** Invites somebody, as {@link createUser}; answers the invitation alone. */
  async create(actor: Actor, organizationId: string, input: NewMember): Promise<IssuedInvitation> {
    return this.invite(actor, organizationId, (tx) =>
      addMember(tx, actor, organizationId, input, 'invited'),
    );
  }

  /** Invites the member of status `invited` whom `toInvite` makes or locks. Errors: those of `toInvite`. */
  async invite(
    actor: Actor,
    organizationId: string,
    toInvite: (tx: Tx) => Promise<Member>,
  ): Promise<IssuedInvitation> {
    const minted = mintInvitation(this.instance);
    const work = async (tx: Tx) => this.add(tx, actor, await toInvite(tx), minted);
    const invitation = await this.database.tenant(organizationId, idempotent(actor, work));
    return this.mailed(actor, organizationId, invitation, minted);
  }

  /**
   * Makes a user of status `invited` with an invitation for 7 days. Only this answer shows its token;
   * the mail has one of its own. Somebody who is a member elsewhere is invited with the same work and
   * answer. Errors: 400 `unknown_role`; 403 for a role beyond the caller's own permissions; 409
   * `email_taken`.
   */
  async createUser(
    actor: Actor,
    organizationId: string,
    input: NewMember,
  ): Promise<User & { invitation: IssuedInvitation }> {
    const minted = mintInvitation(this.instance);
    const work = async (tx: Tx) => {
      const member = await addMember(tx, actor, organizationId, input, 'invited');
      return { ...toUser(member), invitation: await this.add(tx, actor, member, minted) };
    };
    const user = await this.database.tenant(organizationId, idempotent(actor, work));
    const invitation = await this.mailed(actor, organizationId, user.invitation, minted);
    return { ...user, invitation };
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
   * Gives an invitation that waits or has expired new tokens for 7 days, one that only this answer
   * shows and one that is mailed; the old ones are void. Errors: 403 for a user with more permissions
   * than the caller; 404; 409 `invitation_accepted`, `invitation_revoked`.
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
    return this.mailed(actor, organizationId, invitation, minted);
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
    member: Member,
    minted: MintedInvitation,
  ): Promise<ShownInvitation> {
    const row = await insertInvitation(tx, actor, member, minted);
    const { organizationId, targets } = aboutMember(member);
    record(tx, actor, 'user.invited', {
      organizationId,
      targets: [...targets, invitationTarget(minted.id, member)],
    });
    return this.show(row, minted.token);
  }

  private show(row: InvitationRow, token: string): ShownInvitation {
    return { ...toInvitation(row), token, link: this.linkOf(token) };
  }

  private linkOf(token: string): string {
    return `${this.config.publicUrl}/invitation#token=${token}`;
  }

  /**
   * Mails an invitation that has been committed, and says whether that worked. The answer to a retry
   * says how it went the first time: nothing is mailed twice.
   */
  private async mailed(
    actor: Actor,
    organizationId: string,
    invitation: ShownInvitation,
    minted: MintedInvitation,
  ): Promise<IssuedInvitation> {
    const { id, email: to } = invitation;
    if (isReplay(actor)) {
      const mailed = await this.database.tenant(organizationId, (tx) =>
        wasMailed(tx, organizationId, id),
      );
      return { ...invitation, mailed };
    }
    const organizationName = organizationNameOf(actor, organizationId);
    const link = this.linkOf(minted.mailToken);
    const letter = { to, link, organizationName, inviterName: actor.name };
    const mailed = this.mayMail(to) && (await this.mailer.send(invitationMail(letter)));
    if (mailed) await this.recordMailed(actor, organizationId, minted);
    return { ...invitation, mailed };
  }

  private mayMail(to: string): boolean {
    const count = this.mails.get(to) ?? 0;
    if (count >= MAX_MAILS_AN_HOUR) {
      this.logger.warn('mail not sent: too many invitations to one person');
      return false;
    }
    this.mails.set(to, count + 1);
    return true;
  }

  private async recordMailed(
    actor: Actor,
    organizationId: string,
    minted: MintedInvitation,
  ): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const name = await noteMailed(tx, organizationId, minted);
      if (name === undefined) return;
      const targets: AuditTarget[] = [{ type: 'invitation', id: minted.id, name }];
      record(tx, actor, 'invitation.mailed', { organizationId, targets });
    });
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
