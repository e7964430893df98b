import { Form } from '@base-ui/react/form';
import type { IssuedInvitation } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors, isProblem } from '../api/client';
import { useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
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
  const { id: organizationId } = useOrganization();
  const refresh = useRefreshUsers();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState('');
  const invite = useMutation({
    mutationFn: () =>
      api.invitations.create({ organizationId, body: { email, name: name.trim(), role } }),
    onSuccess: async (invitation) => {
      await refresh();
      onInvited(invitation);
    },
  });
  const taken = isProblem(invite.error, 'email_taken') ? invite.error : undefined;
  return (
    <SidePanel
      open
      onClose={onClose}
      title="Invite somebody"
      description="They get a link, by mail or from you, and can work here once they have accepted. It is good for 7 days."
    >
      <Form
        errors={
          taken
            ? { email: ['This e-mail is a user of the organization already.'] }
            : fieldErrors(invite.error)
        }
        onFormSubmit={() => invite.mutate()}
      >
        <DialogBody>
          {!taken && <ProblemNotice error={invite.error} />}
          <TextField
            name="email"
            label="E-mail"
            type="email"
            required
            maxLength={254}
            value={email}
            onValueChange={setEmail}
          />
          <TextField
            name="name"
            label="Name"
            hint="Shown until they accept and say it themselves."
            required
            maxLength={100}
            value={name}
            onValueChange={setName}
          />
          <RoleField value={role} onChange={setRole} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={invite.isPending} disabled={role === ''}>
            Invite
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}
