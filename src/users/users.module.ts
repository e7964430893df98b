import { Module } from '@nestjs/common';
import { SessionsModule } from '../auth/sessions.module.js';
import { InvitationsModule } from '../invitations/invitations.module.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** The users of an organization. */
@Module({
  imports: [SessionsModule, InvitationsModule],
  controllers: [UsersController],
  providers: [UsersService],
  exports: [UsersService],
})
export class UsersModule {}
