import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { ConfirmDialog } from '../ui/dialog';
import { toast } from '../ui/toast';

/** Asks before a service account is disabled or enabled. */
export function StatusDialog({
  account,
  to,
  onClose,
}: {
  account: ServiceAccount;
  to: 'disable' | 'enable';
  onClose: () => void;
}) {
  const { id: serviceAccountId, organizationId, name } = account;
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: () => api.serviceAccounts[to]({ organizationId, serviceAccountId }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      });
      toast(`${name} is ${to}d`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title={to === 'disable' ? `Disable ${name}?` : `Enable ${name}?`}
      confirm={to === 'disable' ? 'Disable' : 'Enable'}
      busy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onCancel={onClose}
    >
      <p>
        {to === 'disable'
          ? 'All its keys are refused from now on, everywhere, until it is enabled again. Nothing is deleted.'
          : 'Its keys that have not expired or been revoked work again from now on.'}
      </p>
    </ConfirmDialog>
  );
}
