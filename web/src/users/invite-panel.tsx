import type { IssuedInvitation } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, isProblem } from '../api/client';
import { useOrganization } from '../session/session';
import { SidePanel } from '../ui/dialog';
import { DialogForm } from '../ui/dialog-form';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { RoleField } from '../roles/role-field';
import { useRefreshUsers } from './use-refresh-users';

/** Invites somebody to the organization; what was made of it goes to `onInvited`. */
export function InvitePanel({
  onClose,
  onInvited,
}: {
  onClose: () => void;
  onInvited: (invitation: IssuedInvitation) => void;
}) {
  const [draft, setDraft] = useState(EMPTY);
  const invite = useInvite(draft, onInvited);
  const taken = isProblem(invite.error, 'email_taken');
  const change = (part: Partial<typeof EMPTY>) => setDraft((before) => ({ ...before, ...part }));
  return (
    <SidePanel
      open
      onClose={onClose}
      title="Invite somebody"
      description="They get a link, by mail or from you, and can work here once they have accepted. It is good for 7 days."
    >
      <DialogForm
        work={invite}
        {...(taken && { errors: TAKEN })}
        submit="Invite"
        disabled={draft.role === ''}
        onCancel={onClose}
      >
        {!taken && <ProblemNotice error={invite.error} />}
        <TextField
          name="email"
          label="E-mail"
          type="email"
          required
          maxLength={254}
          value={draft.email}
          onValueChange={(email) => change({ email })}
        />
        <TextField
          name="name"
          label="Name"
          hint="Shown until they accept and say it themselves."
          required
          maxLength={100}
          value={draft.name}
          onValueChange={(name) => change({ name })}
        />
        <RoleField value={draft.role} onChange={(role) => change({ role })} />
      </DialogForm>
    </SidePanel>
  );
}

const EMPTY = { email: '', name: '', role: '' };
const TAKEN = { email: ['This e-mail is a user of the organization already.'] };

function useInvite(
  { email, name, role }: typeof EMPTY,
  onInvited: (invitation: IssuedInvitation) => void,
) {
  const { id: organizationId } = useOrganization();
  const refresh = useRefreshUsers();
  return useMutation({
    mutationFn: () =>
      api.invitations.create({ organizationId, body: { email, name: name.trim(), role } }),
    onSuccess: async (invitation) => {
      await refresh();
      onInvited(invitation);
    },
  });
}
