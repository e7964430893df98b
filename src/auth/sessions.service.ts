import { Injectable } from '@nestjs/common';
import { cleanText } from '../audit/event.js';
import { record } from '../audit/record.js';
import { newId } from '../crypto/id.js';
import { PasswordHasher } from '../crypto/password.js';
import { createToken } from '../crypto/token.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import type { Prisma, Session as SessionRow } from '../generated/prisma/client.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { notFound, Problem } from '../http/problem.js';
import type { Actor, ActorRequest } from './actor.js';
import { Credentials, type SessionCredential } from './credentials.js';
import { type LoginAttempt, LoginAttempts } from './login-attempts.js';
import {
  type Login,
  type LoginInput,
  type Session,
  type SessionsQuery,
  toLoginOrganization,
  toSession,
} from './sessions.dto.js';
import {
  endSessions,
  lockPerson,
  LOGIN_STATEMENT,
  type LoginRow,
  SESSION_SECONDS,
} from './sessions.sql.js';

const IDLE_MS = 30 * 60_000;

/** Whose session it is to be, and what for. */
interface NewSession {
  userId: string;
  passwordHash: string | null;
  cookie: boolean | undefined;
  /** The attempt whose password it was, if it was one to log in. */
  attempt?: LoginAttempt;
}

/** Logins of people. Service accounts have none. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly credentials: Credentials,
    private readonly passwords: PasswordHasher,
    private readonly attempts: LoginAttempts,
    private readonly cursors: CursorCodec,
  ) {}

  /**
   * Opens a session for e-mail and password. Errors: 401 `invalid_login`, the same for an unknown
   * person, a wrong password, a person without one and a person whom every organization has
   * disabled; 429 `too_many_login_attempts`, alike for all of them; `PasswordsBusyError`.
   */
  async login(request: ActorRequest, input: LoginInput): Promise<Login> {
    const email = input.email.toLowerCase();
    // Statements outside Prisma: under a flood of logins the refusals must stay quick.
    const attempt = await this.attempts.begin(request.ip, email);
    const [person] = await this.database.raw<LoginRow>(LOGIN_STATEMENT, [email]);
    const passwordHash = person?.passwordHash ?? null;
    const matches = await this.attempts.during(attempt, () =>
      this.passwords.verify(passwordHash, input.password),
    );
    if (!matches || person === undefined) throw invalidLogin();
    const { cookie } = input;
    return this.open(request, { userId: person.id, passwordHash, cookie, attempt });
  }

  /**
   * Opens a session for a person whose password has just been proved to be the one of this hash. With `cookie` its token is
   * good in the cookie alone, without as a bearer alone: what is taken from the one is worth nothing in the other.
   * Errors: 401 `invalid_login` when the password has changed meanwhile, or the person is locked out.
   */
  async open(
    request: ActorRequest,
    { userId, passwordHash, cookie, attempt }: NewSession,
  ): Promise<Login> {
    const id = newId('ses');
    const kind = cookie === true ? 'cookie' : 'session';
    const token = createToken(this.instance.tokenPrefix, kind, id);
    const tokenHash = new Uint8Array(this.instance.pepper.hash(kind, token));
    const expiresAt = await this.database.system(async (tx) => {
      const person = await lockPerson(tx, userId);
      if (person === undefined || person.passwordHash !== passwordHash || person.lockedOut) {
        throw invalidLogin();
      }
      const now = await databaseNow(tx);
      const expiresAt = new Date(now.getTime() + SESSION_SECONDS * 1_000);
      await tx.session.create({
        data: {
          ...this.sessionRow(request, id, userId, tokenHash),
          expiresAt,
          createdAt: now,
          lastSeenAt: now,
          authenticatedAt: now,
        },
      });
      await tx.user.update({ where: { id: userId }, data: { lastLoginAt: now } });
      record(tx, personActor(person, request), 'session.created', {
        organizationId: null,
        targets: [{ type: 'session', id, name: person.name }],
      });
      if (attempt !== undefined) await this.attempts.succeed(tx, attempt);
      return expiresAt;
    });
    return { token, expiresAt: expiresAt.toISOString(), ...(await this.describe(kind, token, id)) };
  }

  /** The caller's own sessions that still work, newest first. */
  async list(actor: Actor, query: SessionsQuery): Promise<Page<Session>> {
    const { userId, sessionId } = sessionOf(actor);
    const scope = cursorScope(`caller:${userId}`, 'sessions');
    const position =
      query.after === undefined ? undefined : this.cursors.decode(scope, query.after);
    const rows = await this.database.system(async (tx) => {
      const now = await databaseNow(tx);
      return tx.session.findMany({
        where: {
          userId,
          endedAt: null,
          expiresAt: { gt: now },
          lastSeenAt: { gt: new Date(now.getTime() - IDLE_MS) },
          ...(position === undefined ? {} : olderThan(position as [string, string])),
        },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: query.limit + 1,
      });
    });
    const toPosition = (row: SessionRow) => [row.createdAt, row.id];
    const cursor = { codec: this.cursors, scope, toPosition };
    return mapPage(page(rows, query.limit, cursor), (row) => toSession(row, sessionId));
  }

  /** Logs the caller out. */
  endCurrent(actor: Actor): Promise<void> {
    return this.end(actor, sessionOf(actor).sessionId);
  }

  /** Ends one of the caller's own sessions; one that has ended already stays so. Errors: 404. */
  async end(actor: Actor, sessionId: string): Promise<void> {
    const { userId } = sessionOf(actor);
    await this.database.system(async (tx) => {
      const session = await tx.session.findFirst({ where: { id: sessionId, userId } });
      if (session === null) throw notFound('session');
      await endSessions(tx, actor, { id: userId, name: actor.name }, { id: sessionId });
    });
  }

  /**
   * Ends all sessions of a person whom an organization has just disabled, unless another one still
   * lets the person work. Called after that change has been committed.
   */
  async endIfLockedOut(actor: Actor, userId: string): Promise<void> {
    await this.database.system(async (tx) => {
      const person = await lockPerson(tx, userId);
      if (person?.lockedOut) await endSessions(tx, actor, person, {});
    });
  }

  private sessionRow(
    request: ActorRequest,
    id: string,
    userId: string,
    tokenHash: Uint8Array<ArrayBuffer>,
  ) {
    const userAgent = request.userAgent === null ? null : cleanText(request.userAgent, 256);
    const pepperVersion = this.instance.pepper.version;
    return { id, userId, tokenHash, pepperVersion, ip: request.ip, userAgent };
  }

  /** What the new session is good for, as its first request would find it. */
  private async describe(
    kind: 'session' | 'cookie',
    token: string,
    id: string,
  ): Promise<Pick<Login, 'user' | 'organizations'>> {
    const check = await this.credentials.session(kind, token, id);
    if (!check.ok || check.credential.kind !== 'session') throw invalidLogin();
    const { userId, email, name, instanceAdministrator, memberships } = check.credential;
    return {
      user: { id: userId, email, name, instanceAdministrator },
      organizations: memberships.map(toLoginOrganization),
    };
  }
}

/** The session behind a caller that `@Allow('user')` let in. */
export function sessionOf(actor: Actor): SessionCredential {
  if (actor.credential?.kind !== 'session') throw new TypeError('only people have sessions');
  return actor.credential;
}

/** A person at a public route, once it is known who they are. */
export function personActor(person: { id: string; name: string }, request: ActorRequest): Actor {
  return {
    type: 'user',
    id: person.id,
    name: person.name,
    key: null,
    permissions: new Set(),
    instanceAdministrator: false,
    credential: null,
    request,
  };
}

function olderThan([createdAt, id]: [string, string]): Prisma.SessionWhereInput {
  const start = new Date(createdAt);
  return { OR: [{ createdAt: { lt: start } }, { createdAt: start, id: { lt: id } }] };
}

function invalidLogin(): Problem {
  return new Problem(401, 'invalid_login', 'E-mail or password is wrong.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="claviger"' },
  });
}
