import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { SessionsModule } from '../auth/sessions.module.js';
import { MailModule } from '../mail/mail.module.js';
import { InvitationAcceptance } from './acceptance.service.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsService } from './invitations.service.js';

/** How people join an organization. */
@Module({
  imports: [AuthModule, SessionsModule, MailModule],
  controllers: [InvitationsController],
  providers: [InvitationsService, InvitationAcceptance],
  exports: [InvitationsService],
})
export class InvitationsModule {}
