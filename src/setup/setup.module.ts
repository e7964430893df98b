import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { SessionsModule } from '../auth/sessions.module.js';
import { FirstStart } from './first-start.js';
import { SetupController } from './setup.controller.js';
import { SetupService } from './setup.service.js';

/** The first start of an empty server. */
@Module({
  imports: [AuthModule, SessionsModule],
  controllers: [SetupController],
  providers: [SetupService, FirstStart],
})
export class SetupModule {}
