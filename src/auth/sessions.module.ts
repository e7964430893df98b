import { Module } from '@nestjs/common';
import { AuthModule } from './auth.module.js';
import { LoginAttempts } from './login-attempts.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

/** Logins of people. */
@Module({
  imports: [AuthModule],
  controllers: [SessionsController],
  providers: [SessionsService, LoginAttempts],
  exports: [SessionsService, LoginAttempts],
})
export class SessionsModule {}
