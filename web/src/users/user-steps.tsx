import type { IssuedInvitation, User } from '@claviger/sdk';
import type { ReactNode } from 'react';
import { api } from '../api/client';

/** What can be done with a user after a question. */
export type StepName = 'invite' | 'resend' | 'revoke' | 'disable' | 'enable' | 'remove';

/** How it is asked, and done. */
export interface Step {
  title: (user: User) => string;
  text: ReactNode;
  confirm: string;
  danger?: boolean;
  /** Answers an invitation where there is a new link to hand over. */
  run: (organizationId: string, user: User) => Promise<IssuedInvitation | void>;
  done: (user: User) => string;
}

/** All of them. */
export const STEPS: Readonly<Record<StepName, Step>> = {
  invite: {
    title: ({ name }) => `Invite ${name}?`,
    text: 'They are active already. With an invitation they have no access here until they accept it.',
    confirm: 'Invite',
    run: (organizationId, { id }) => api.users.invite({ organizationId, userId: id }),
    done: ({ name }) => `${name} is invited`,
  },
  resend: {
    title: ({ name }) => `Send the invitation of ${name} again?`,
    text: 'They get a new link, good for 7 days. The links from before stop working.',
    confirm: 'Send again',
    run: async (organizationId, user) => {
      const invitationId = await waitingInvitation(organizationId, user);
      // Without one, somebody was faster: the server knows how it stands now.
      return invitationId
        ? api.invitations.resend({ organizationId, invitationId })
        : api.users.invite({ organizationId, userId: user.id });
    },
    done: ({ name }) => `${name} is invited again`,
  },
  revoke: {
    title: ({ name }) => `Revoke the invitation of ${name}?`,
    text: 'Its links stop working, and they are no user of the organization any more. You can invite them again.',
    confirm: 'Revoke invitation',
    danger: true,
    run: async (organizationId, user) => {
      const invitationId = await waitingInvitation(organizationId, user);
      if (!invitationId) return;
      await api.invitations.revoke({ organizationId, invitationId });
    },
    done: ({ name }) => `Invitation of ${name} revoked`,
  },
  disable: {
    title: ({ name }) => `Disable ${name}?`,
    text: 'They are refused in this organization from now on, until you enable them again. Service accounts that they own keep working.',
    confirm: 'Disable',
    danger: true,
    run: async (organizationId, { id }) => {
      await api.users.disable({ organizationId, userId: id });
    },
    done: ({ name }) => `${name} is disabled`,
  },
  enable: {
    title: ({ name }) => `Enable ${name}?`,
    text: 'They have access to this organization again, with the role they had.',
    confirm: 'Enable',
    run: async (organizationId, { id }) => {
      await api.users.enable({ organizationId, userId: id });
    },
    done: ({ name }) => `${name} is enabled`,
  },
  remove: {
    title: ({ name }) => `Remove ${name} from the organization?`,
    text: (
      <>
        <p>They have no access to it from now on.</p>
        <p>
          What stays: service accounts that they own keep working, with all their keys, but have no
          owner any more. What they did stays on the audit trail.
        </p>
      </>
    ),
    confirm: 'Remove',
    danger: true,
    run: (organizationId, { id }) => api.users.remove({ organizationId, userId: id }),
    done: ({ name }) => `${name} is removed`,
  },
};

/** The invitation that a user of status `invited` has not accepted yet, be it expired; undefined when it is gone. */
async function waitingInvitation(organizationId: string, user: User): Promise<string | undefined> {
  const invitations = api.invitations.list({ organizationId, search: user.email, limit: 200 });
  for await (const { id, userId, status } of invitations) {
    if (userId === user.id && (status === 'pending' || status === 'expired')) return id;
  }
  return undefined;
}
