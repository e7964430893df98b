import { Module } from '@nestjs/common';
import { AuthModule } from './auth.module.js';
import { LoginAttempts } from './login-attempts.js';
import { Reauthentication } from './reauthentication.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

/** Logins of people. */
@Module({
  imports: [AuthModule],
  controllers: [SessionsController],
  providers: [SessionsService, LoginAttempts, Reauthentication],
  exports: [SessionsService, LoginAttempts, Reauthentication],
})
export class SessionsModule {}
