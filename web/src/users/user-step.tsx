import type { IssuedInvitation, User } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useOrganization } from '../session/session';
import { ConfirmDialog } from '../ui/dialog';
import { toast } from '../ui/toast';
import { useRefreshUsers } from './use-refresh-users';
import { type StepName, STEPS } from './user-steps';

/** Asks before something is done with a user, and does it. A new link goes to `onInvited`. */
export function UserStep({
  step,
  user,
  onClose,
  onInvited,
}: {
  step: StepName;
  user: User;
  onClose: () => void;
  onInvited: (invitation: IssuedInvitation) => void;
}) {
  const { id: organizationId } = useOrganization();
  const refresh = useRefreshUsers();
  const { title, text, confirm, danger, run, done } = STEPS[step];
  const work = useMutation({
    mutationFn: () => run(organizationId, user),
    onSuccess: async (invitation) => {
      await refresh();
      toast(done(user));
      if (invitation) onInvited(invitation);
      else onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title={title(user)}
      confirm={confirm}
      danger={danger}
      busy={work.isPending}
      error={work.error}
      onConfirm={() => work.mutate()}
      onCancel={onClose}
    >
      {text}
    </ConfirmDialog>
  );
}
