import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { IssuedInvitation } from '../invitations/invitations.dto.js';
import {
  CreatedUser,
  User,
  UserCreateInput,
  UserPage,
  UsersQuery,
  UserUpdateInput,
} from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@Controller('v1/organizations/:organizationId/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** Creates a user of the organization: active at once without a password, or with an invitation. */
  @Post()
  @Allow('users:manage', { dangerous: true })
  @Creates(
    (user: CreatedUser, { organizationId }) =>
      `/v1/organizations/${organizationId}/users/${user.id}`,
  )
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: UserCreateInput,
  ): Promise<CreatedUser> {
    return this.users.create(actor, organizationId, input);
  }

  /** Lists the users of the organization. */
  @Get()
  @Allow('users:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: UsersQuery,
  ): Promise<UserPage> {
    return this.users.list(organizationId, query);
  }

  /** Shows one user of the organization. */
  @Get(':userId')
  @Allow('users:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
  ): Promise<User> {
    return this.users.get(organizationId, userId);
  }

  /** Changes a user's role and attributes; what is left out stays as it is. */
  @Patch(':userId')
  @Allow('users:manage', { dangerous: true })
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
    @Body() input: UserUpdateInput,
  ): Promise<User> {
    return this.users.update(actor, organizationId, userId, input);
  }

  /** Disables a user: no access to the organization until enabled again. */
  @Post(':userId/disable')
  @Allow('users:manage')
  @ETagged()
  @HttpCode(200)
  disable(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
  ): Promise<User> {
    return this.users.disable(actor, organizationId, userId);
  }

  /** Gives a disabled user access again. */
  @Post(':userId/enable')
  @Allow('users:manage', { dangerous: true })
  @ETagged()
  @HttpCode(200)
  enable(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
  ): Promise<User> {
    return this.users.enable(actor, organizationId, userId);
  }

  /**
   * Invites a user who was created without an invitation: the answer shows a link with which they set a first password, and another
   * one is mailed. They are `invited` until they accept.
   */
  @Post(':userId/invite')
  @Allow('users:manage', { dangerous: true })
  @Creates(
    (invitation: IssuedInvitation, { organizationId }) =>
      `/v1/organizations/${organizationId}/invitations/${invitation.id}`,
  )
  invite(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
  ): Promise<IssuedInvitation> {
    return this.users.invite(actor, organizationId, userId);
  }

  /** Removes a user from the organization; their service accounts keep working. */
  @Delete(':userId')
  @Allow('users:manage')
  @ETagged()
  @HttpCode(204)
  remove(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('userId') userId: string,
  ): Promise<void> {
    return this.users.remove(actor, organizationId, userId);
  }
}
