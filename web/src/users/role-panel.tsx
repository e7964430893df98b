import { Form } from '@base-ui/react/form';
import type { User } from '@claviger/sdk';
import { api, fieldErrors } from '../api/client';
import { EditNotice } from '../edit/edit-notice';
import { Fresh } from '../edit/fresh';
import { useEdit } from '../edit/use-edit';
import { useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { toast } from '../ui/toast';
import { RoleField } from '../roles/role-field';
import { useRefreshUsers } from './use-refresh-users';

interface EditProps {
  user: User;
  onClose: () => void;
}

/** Gives a user another role. */
export function RolePanel({ user, onClose }: EditProps) {
  const { id: organizationId } = useOrganization();
  const { id: userId } = user;
  return (
    <SidePanel
      open
      onClose={onClose}
      title={`Role of ${user.name}`}
      description="It holds from their next request on."
    >
      <Fresh of={[organizationId, userId]} read={() => api.users.get({ organizationId, userId })}>
        {(fresh) => <RoleForm user={fresh} onClose={onClose} />}
      </Fresh>
    </SidePanel>
  );
}

function RoleForm({ user, onClose }: EditProps) {
  const ids = { organizationId: useOrganization().id, userId: user.id };
  const refresh = useRefreshUsers();
  const edit = useEdit<User, { role: string }>(user, {
    toDraft: ({ role }) => ({ role: role.key }),
    facts: ({ role, status }) => ({ Role: role.name, Status: status }),
    read: () => api.users.get(ids),
    save: (body, { ifMatch }) => api.users.update({ ...ids, body, ifMatch }),
    onSaved: async ({ name, role }) => {
      await refresh();
      toast(`${name} has the role ${role.name} now`);
      onClose();
    },
  });
  const { draft, change, save, seen } = edit;
  return (
    <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
      <DialogBody>
        <EditNotice edit={edit} />
        <RoleField value={draft.role} onChange={(role) => change({ role })} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          busy={save.isPending}
          disabled={draft.role === seen.role.key || draft.role === ''}
        >
          Change role
        </Button>
      </DialogFooter>
    </Form>
  );
}
