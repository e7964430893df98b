import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { MeModule } from './auth/me.module.js';
import { SessionsModule } from './auth/sessions.module.js';
import type { Config } from './config.js';
import { ExportsModule } from './exports/exports.module.js';
import { FoundationModule } from './foundation.module.js';
import { HealthModule } from './health/health.module.js';
import { InvitationsModule } from './invitations/invitations.module.js';
import { ImportsModule } from './imports/imports.module.js';
import { KeysModule } from './keys/keys.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { MaintenanceModule } from './maintenance/maintenance.module.js';
import { OAuthModule } from './oauth/oauth.module.js';
import { OrganizationsModule } from './organizations/organizations.module.js';
import { PasswordResetsModule } from './password-resets/password-resets.module.js';
import { PermissionsModule } from './permissions/permissions.module.js';
import { RolesModule } from './roles/roles.module.js';
import { SigningKeysModule } from './signing-keys/signing-keys.module.js';
import { ServiceAccountsModule } from './service-accounts/service-accounts.module.js';
import { SetupModule } from './setup/setup.module.js';
import type { Tracing } from './tracing/tracing.js';
import { UsersModule } from './users/users.module.js';

/** The whole server: one module a slice. */
@Module({})
export class AppModule {
  static register(config: Config, tracing?: Tracing): DynamicModule {
    return {
      module: AppModule,
      imports: [
        FoundationModule.register(config, tracing),
        HealthModule,
        AuthModule,
        LimitsModule,
        SessionsModule,
        MeModule,
        SetupModule,
        PasswordResetsModule,
        OrganizationsModule,
        UsersModule,
        InvitationsModule,
        RolesModule,
        PermissionsModule,
        ServiceAccountsModule,
        KeysModule,
        SigningKeysModule,
        OAuthModule,
        AuditModule,
        ExportsModule,
        ImportsModule,
        MaintenanceModule,
      ],
    };
  }
}
