import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiForbiddenResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow, Public } from '../auth/allow.decorator.js';
import { LogsIn } from '../auth/logs-in.decorator.js';
import { ETagged } from '../http/etagged.js';
import { problemContent } from '../http/problem-content.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { InvitationAcceptance, wrongPerson } from './acceptance.service.js';
import {
  AcceptedInvitation,
  Invitation,
  InvitationAcceptInput,
  InvitationCreateInput,
  InvitationPage,
  InvitationsQuery,
  IssuedInvitation,
} from './invitations.dto.js';
import { InvitationsService } from './invitations.service.js';

const PATH = 'organizations/:organizationId/invitations';

/** Not among the answers that every public operation has. */
const FORBIDDEN = {
  description: 'The credential is a service account’s, or the session of somebody else.',
  content: problemContent(wrongPerson()),
};

@ApiTags('Invitations')
@Controller('v1')
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly acceptance: InvitationAcceptance,
  ) {}

  /** Invites a person into the organization: the answer shows a link, and another one is mailed. */
  @Post(PATH)
  @Allow('users:manage', { dangerous: true })
  @Creates(
    (invitation: IssuedInvitation, { organizationId }) =>
      `/v1/organizations/${organizationId}/invitations/${invitation.id}`,
  )
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: InvitationCreateInput,
  ): Promise<IssuedInvitation> {
    return this.invitations.create(actor, organizationId, input);
  }

  /** Lists the invitations of the organization. */
  @Get(PATH)
  @Allow('users:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: InvitationsQuery,
  ): Promise<InvitationPage> {
    return this.invitations.list(organizationId, query);
  }

  /** Shows one invitation of the organization. */
  @Get(`${PATH}/:invitationId`)
  @Allow('users:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('invitationId') invitationId: string,
  ): Promise<Invitation> {
    return this.invitations.get(organizationId, invitationId);
  }

  /** Sends an invitation again, with new links for 7 days; the old ones are void. */
  @Post(`${PATH}/:invitationId/resend`)
  @Allow('users:manage', { dangerous: true })
  @HttpCode(200)
  @ETagged()
  resend(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('invitationId') invitationId: string,
  ): Promise<IssuedInvitation> {
    return this.invitations.resend(actor, organizationId, invitationId);
  }

  /** Revokes an invitation, and removes the user who has not accepted it. */
  @Delete(`${PATH}/:invitationId`)
  @Allow('users:manage')
  @HttpCode(204)
  @ETagged()
  revoke(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('invitationId') invitationId: string,
  ): Promise<void> {
    return this.invitations.revoke(actor, organizationId, invitationId);
  }

  /** Accepts an invitation with a first password, or with the session of somebody who has one. */
  @Post('invitations/accept')
  @Public()
  @ApiOperation({
    description:
      'Needs no credential of somebody without a password, and the session of anybody else.',
    security: [{}, { bearer: [] }],
  })
  @ApiForbiddenResponse(FORBIDDEN)
  @LogsIn()
  @HttpCode(200)
  accept(
    @Req() request: FastifyRequest,
    @Body() input: InvitationAcceptInput,
  ): Promise<AcceptedInvitation> {
    return this.acceptance.accept(request, input);
  }
}
