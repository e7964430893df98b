import type { Key, ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { ConfirmDialog } from '../ui/dialog';
import { toast } from '../ui/toast';
import { RecentUsage } from './recent-usage';

/** Asks before a key is revoked, and says whether it is in use. */
export function RevokeDialog({
  account,
  apiKey,
  onClose,
}: {
  account: ServiceAccount;
  apiKey: Key;
  onClose: () => void;
}) {
  const { organizationId, id: serviceAccountId } = account;
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.keys.revoke({ organizationId, serviceAccountId, keyId: apiKey.id }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      });
      toast(`Revoked ${apiKey.name}`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title={`Revoke ${apiKey.name}?`}
      confirm="Revoke"
      danger
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onCancel={onClose}
    >
      <p>
        Requests with its token are refused from now on, on every instance. This cannot be undone.
        Keys that replaced it go on working.
      </p>
      <RecentUsage account={account} apiKey={apiKey} tone="warning" />
    </ConfirmDialog>
  );
}
