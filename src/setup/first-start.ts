import { Inject, Injectable, type INestApplicationContext } from '@nestjs/common';
import { SYSTEM_ACTOR } from '../auth/actor.js';
import { CONFIG, type Config } from '../config.js';
import { newPersonId } from '../crypto/id.js';
import { PasswordHasher } from '../crypto/password.js';
import { DatabaseService } from '../database/database.service.js';
import { createFirstAdministrator, isSetupOpen, lockSetup } from './first-administrator.js';
import { SetupService } from './setup.service.js';

/** The name of an administrator who comes from the configuration, until they change it. */
const ADMINISTRATOR_NAME = 'Administrator';

/** What an empty server needs before its first request. */
@Injectable()
export class FirstStart {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly passwords: PasswordHasher,
    private readonly setup: SetupService,
  ) {}

  /**
   * On a server without people: makes the administrator of the configuration, or else a set-up link
   * with a new one-time token. The link is for standard output alone; the token stands behind `#`,
   * which browsers send to nobody.
   */
  async prepare(): Promise<{ setupLink?: string }> {
    if (!(await this.database.system(isSetupOpen))) return {};
    if (this.config.admin !== undefined) {
      await this.createAdministrator(this.config.admin);
      return {};
    }
    const token = await this.setup.createSetupToken();
    return token === undefined
      ? {}
      : { setupLink: `${this.config.publicUrl}/setup#token=${token}` };
  }

  private async createAdministrator({
    email,
    password,
    organizationName,
  }: NonNullable<Config['admin']>): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    const person = { id: newPersonId(), email: email.toLowerCase(), name: ADMINISTRATOR_NAME };
    await this.database.system(async (tx) => {
      // Another instance may start on the same empty database.
      if (!(await lockSetup(tx))) return;
      await createFirstAdministrator(tx, SYSTEM_ACTOR, {
        ...person,
        passwordHash,
        organizationName,
      });
    });
  }
}

/** {@link FirstStart.prepare} of an application; to be called before it listens. */
export function prepareFirstStart(app: INestApplicationContext): Promise<{ setupLink?: string }> {
  return app.get(FirstStart).prepare();
}
