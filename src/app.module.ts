import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { MeModule } from './auth/me.module.js';
import { SessionsModule } from './auth/sessions.module.js';
import type { Config } from './config.js';
import { FoundationModule } from './foundation.module.js';
import { HealthModule } from './health/health.module.js';
import { KeysModule } from './keys/keys.module.js';
import { OrganizationsModule } from './organizations/organizations.module.js';
import { RolesModule } from './roles/roles.module.js';
import { ServiceAccountsModule } from './service-accounts/service-accounts.module.js';
import { SetupModule } from './setup/setup.module.js';
import { UsersModule } from './users/users.module.js';

/** The whole server: one module a slice. */
@Module({})
export class AppModule {
  static register(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        FoundationModule.register(config),
        HealthModule,
        AuthModule,
        SessionsModule,
        MeModule,
        SetupModule,
        OrganizationsModule,
        UsersModule,
        RolesModule,
        ServiceAccountsModule,
        KeysModule,
        AuditModule,
      ],
    };
  }
}
