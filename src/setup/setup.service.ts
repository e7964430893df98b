import { Injectable } from '@nestjs/common';
import type { ActorRequest } from '../auth/actor.js';
import { requireImpersonal } from '../auth/new-password.js';
import type { Login } from '../auth/sessions.dto.js';
import { personActor, SessionsService } from '../auth/sessions.service.js';
import { newId, newPersonId } from '../crypto/id.js';
import { PasswordHasher } from '../crypto/password.js';
import { createToken, parseToken } from '../crypto/token.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { notFound, unauthorized } from '../http/problem.js';
import { createFirstAdministrator, isSetupOpen, lockSetup } from './first-administrator.js';
import type { SetupInput } from './setup.dto.js';

/** Turns an empty server into one with an administrator and an organization, once. */
@Injectable()
export class SetupService {
  /** There is no way back to a server without people: once seen, it need not be asked again. */
  private isDone = false;

  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
  ) {}

  /** Errors: 404 once there is an administrator. */
  async requireOpen(): Promise<void> {
    if (!this.isDone) this.isDone = !(await this.database.system(isSetupOpen));
    if (this.isDone) throw closed();
  }

  /**
   * Makes a new set-up token, good for 30 minutes by the database's clock, and ends all earlier
   * ones. Undefined when the server has been set up.
   */
  async createSetupToken(): Promise<string | undefined> {
    const id = newId('stp');
    const token = createToken(this.instance.tokenPrefix, 'setup', id);
    const { pepper } = this.instance;
    const hash = new Uint8Array(pepper.hash('setup', token));
    return this.database.system(async (tx) => {
      if (!(await lockSetup(tx))) return undefined;
      await tx.setupToken.deleteMany();
      await tx.$executeRaw`INSERT INTO setup_tokens (id, token_hash, pepper_version, expires_at)
        VALUES (${id}, ${hash}, ${pepper.version}, clock_timestamp() + interval '30 minutes')`;
      return token;
    });
  }

  /**
   * Sets the server up and logs its first administrator in. Errors: 401 for a token that is not the
   * current one; 400 `weak_password`; 404 when the server has been set up; `PasswordsBusyError`.
   */
  async setUp(request: ActorRequest, input: SetupInput): Promise<Login> {
    // Hashing is expensive: whoever has no good token does not get that far.
    await this.database.system((tx) => this.requireToken(tx, input.token));
    const { name, organizationName } = input;
    requireImpersonal('/password', input.password, [input.email, name, organizationName]);
    const passwordHash = await this.passwords.hash(input.password);
    const person = { id: newPersonId(), email: input.email.toLowerCase(), name };
    await this.database.system(async (tx) => {
      if (!(await lockSetup(tx))) throw closed();
      await this.requireToken(tx, input.token);
      const actor = personActor(person, request);
      await createFirstAdministrator(tx, actor, { ...person, passwordHash, organizationName });
    });
    return this.sessions.open(request, { userId: person.id, passwordHash, cookie: input.cookie });
  }

  private async requireToken(tx: Tx, token: string): Promise<void> {
    const { tokenPrefix, pepper } = this.instance;
    const parsed = parseToken(tokenPrefix, token);
    if (parsed?.family !== 'once') throw unauthorized('invalid');
    const [row] = await tx.$queryRaw<{ hash: Uint8Array }[]>`
      SELECT token_hash AS hash FROM setup_tokens
      WHERE id = ${`stp_${parsed.suffix}`} AND expires_at > clock_timestamp()`;
    if (pepper.match('setup', token, row?.hash) === undefined) throw unauthorized('invalid');
  }
}

function closed() {
  return notFound('set-up');
}
