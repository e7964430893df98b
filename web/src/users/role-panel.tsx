import { Form } from '@base-ui/react/form';
import type { User } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';
import { RoleField } from '../roles/role-field';
import { useRefreshUsers } from './use-refresh-users';

/** Gives a user another role. */
export function RolePanel({ user, onClose }: { user: User; onClose: () => void }) {
  const { id: organizationId } = useOrganization();
  const refresh = useRefreshUsers();
  const [role, setRole] = useState(user.role.key);
  const change = useMutation({
    mutationFn: () => api.users.update({ organizationId, userId: user.id, body: { role } }),
    onSuccess: async (changed) => {
      await refresh();
      toast(`${changed.name} has the role ${changed.role.name} now`);
      onClose();
    },
  });
  return (
    <SidePanel
      open
      onClose={onClose}
      title={`Role of ${user.name}`}
      description="It holds from their next request on."
    >
      <Form errors={fieldErrors(change.error)} onFormSubmit={() => change.mutate()}>
        <DialogBody>
          <ProblemNotice error={change.error} />
          <RoleField value={role} onChange={setRole} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={change.isPending}
            disabled={role === user.role.key || role === ''}
          >
            Change role
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}
