import { Module } from '@nestjs/common';
import { SessionsModule } from '../auth/sessions.module.js';
import { FirstStart } from './first-start.js';
import { SetupController } from './setup.controller.js';
import { SetupService } from './setup.service.js';

/** The first start of an empty server. */
@Module({
  imports: [SessionsModule],
  controllers: [SetupController],
  providers: [SetupService, FirstStart],
})
export class SetupModule {}
