import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { record } from '../audit/record.js';
import { authenticate } from '../auth/authorize.js';
import type { SessionCredential } from '../auth/credentials.js';
import { Identifier } from '../auth/identify.js';
import { requireImpersonal } from '../auth/new-password.js';
import { toLoginOrganization } from '../auth/sessions.dto.js';
import { personActor, SessionsService } from '../auth/sessions.service.js';
import { PasswordHasher } from '../crypto/password.js';
import { parseToken } from '../crypto/token.js';
import { DatabaseService } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { type FieldError, invalid, notFound, Problem, refused } from '../http/problem.js';
import {
  acceptOpenInvitation,
  findOpenInvitation,
  type FirstPassword,
  lockOpenInvitation,
  type OpenInvitation,
} from './acceptance.sql.js';
import type { AcceptedInvitation, InvitationAcceptInput } from './invitations.dto.js';

/** What people do with the token of an invitation. */
@Injectable()
export class InvitationAcceptance {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly identifier: Identifier,
  ) {}

  /**
   * Accepts an invitation, once. Somebody who has never had a password sets one and is logged in;
   * everybody else must be logged in already, as the person who is invited. Errors: 401 for a bad
   * credential, `login_required`; 403 `people_only`, `wrong_person`; 404 for a token that is
   * unknown, used, void, revoked or expired; 400 `required` without a first password, `weak_password`, `not_allowed`
   * with a further one; `PasswordsBusyError`.
   */
  async accept(request: FastifyRequest, input: InvitationAcceptInput): Promise<AcceptedInvitation> {
    const session = await this.sessionOf(request);
    const invitation = await this.invitationOf(input.token);
    requirePerson(invitation, session);
    if (session !== undefined) {
      requireNoPassword(input);
      await this.settle(request, input.token, invitation, undefined);
      return this.describe(request);
    }
    const { password, name, cookie } = input;
    if (password === undefined) throw passwordRequired();
    requireImpersonal('/password', password, [invitation.email, name ?? invitation.name]);
    const passwordHash = await this.passwords.hash(password);
    await this.settle(request, input.token, invitation, { passwordHash, name });
    const { userId } = invitation;
    return this.sessions.open(request.context, { userId, passwordHash, cookie });
  }

  /** The caller's session, if they are logged in. Errors: 400, 401 for a bad `Authorization`, 403 for service accounts. */
  private async sessionOf(request: FastifyRequest): Promise<SessionCredential | undefined> {
    const check = await this.identifier.identifyIfShown(request);
    if (check === undefined) return undefined;
    const credential = authenticate(check);
    if (credential.kind === 'session') return credential;
    throw refused('people_only', 'Invitations are for people; service accounts cannot accept one.');
  }

  private async invitationOf(token: string): Promise<OpenInvitation> {
    const parsed = parseToken(this.instance.tokenPrefix, token);
    if (parsed?.family !== 'once') throw noInvitation();
    const found = await this.database.system((tx) =>
      findOpenInvitation(tx, `inv_${parsed.suffix}`),
    );
    return this.requireToken(found, token).invitation;
  }

  /** The invitation, and whether the token is the one of its mail. Errors: 404. */
  private requireToken(
    found: OpenInvitation | undefined,
    token: string,
  ): { invitation: OpenInvitation; byMail: boolean } {
    const { pepper } = this.instance;
    const isShown = pepper.match('invitation', token, found?.tokenHash) !== undefined;
    const byMail = pepper.match('invitation', token, found?.mailTokenHash) !== undefined;
    if (found === undefined || !(isShown || byMail)) throw noInvitation();
    return { invitation: found, byMail };
  }

  /** The change itself: everything that was checked before is checked again under locks. */
  private async settle(
    request: FastifyRequest,
    token: string,
    before: OpenInvitation,
    first: FirstPassword | undefined,
  ): Promise<void> {
    await this.database.system(async (tx) => {
      const locked = await lockOpenInvitation(tx, before);
      const { invitation, byMail } = this.requireToken(locked, token);
      if (first !== undefined && !invitation.isNew) throw loginRequired();
      await acceptOpenInvitation(tx, invitation, { byMail, first });
      const { id, organizationId, userId } = invitation;
      const person = { id: userId, name: first?.name ?? invitation.name };
      record(tx, personActor(person, request.context), 'invitation.accepted', {
        organizationId,
        targets: [
          { type: 'invitation', id, name: person.name },
          { type: 'user', ...person },
        ],
        changes: { status: { before: 'invited', after: 'active' } },
        details: { link: byMail ? 'mailed' : 'shown' },
        ...(first === undefined ? {} : { reason: 'first_password' }),
      });
    });
  }

  /** The session that accepted, with the organization that it has gained. */
  private async describe(request: FastifyRequest): Promise<AcceptedInvitation> {
    const credential = authenticate(await this.identifier.again(request));
    if (credential.kind !== 'session') throw new TypeError('a session stays a session');
    const { userId, email, name, instanceAdministrator, memberships } = credential;
    return {
      user: { id: userId, email, name, instanceAdministrator },
      organizations: memberships.map(toLoginOrganization),
    };
  }
}

function requirePerson(
  { userId, isNew }: OpenInvitation,
  session: SessionCredential | undefined,
): void {
  if (session === undefined && !isNew) throw loginRequired();
  if (session !== undefined && session.userId !== userId) {
    throw wrongPerson();
  }
}

/** 403 `wrong_person`: somebody else is invited. */
export function wrongPerson(): Problem {
  return refused('wrong_person', 'Log in as the person who is invited.');
}

function requireNoPassword(input: InvitationAcceptInput): void {
  const errors = (['password', 'name'] as const).flatMap((field): FieldError[] =>
    input[field] === undefined
      ? []
      : [{ pointer: `/${field}`, code: 'not_allowed', detail: 'Leave it out: you have one.' }],
  );
  if (errors.length > 0) throw invalid(...errors);
}

function passwordRequired(): Problem {
  const detail = 'Must be given: you have no password yet.';
  return invalid({ pointer: '/password', code: 'required', detail });
}

function loginRequired(): Problem {
  const detail = 'Log in as the person who is invited, then accept with that session.';
  return new Problem(401, 'login_required', detail, {
    headers: { 'WWW-Authenticate': 'Bearer realm="claviger"' },
  });
}

function noInvitation(): Problem {
  return notFound('invitation');
}
