import type { Role } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { useOrganization } from '../session/session';
import { ConfirmDialog } from '../ui/dialog';
import { toast } from '../ui/toast';

/** Asks before a role is deleted. */
export function DeleteRole({ role, onClose }: { role: Role; onClose: () => void }) {
  const { id } = useOrganization();
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.roles.delete({ organizationId: id, roleKey: role.key }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['organizations', id, 'roles'] });
      toast(`Role “${role.name}” deleted`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      danger
      title={`Delete the role “${role.name}”?`}
      confirm="Delete role"
      busy={remove.isPending}
      disabled={role.memberCount > 0}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onCancel={onClose}
    >
      {role.memberCount > 0 ? (
        <p>
          {role.memberCount === 1
            ? 'One user or service account has'
            : `${role.memberCount} users or service accounts have`}{' '}
          this role. It can be deleted when nobody has it any more.
        </p>
      ) : (
        <p>
          Nobody has this role. It cannot be brought back, but you can make another one like it.
        </p>
      )}
    </ConfirmDialog>
  );
}
