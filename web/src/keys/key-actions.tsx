import type { Key, ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Ban, Pencil, RotateCw } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api/client';
import { useCan } from '../session/session';
import { ConfirmDialog } from '../ui/dialog';
import { RowMenu } from '../ui/menu';
import { toast } from '../ui/toast';
import { EditKeyPanel } from './edit-key-panel';
import { RecentUsage } from './recent-usage';
import { RotateDialog } from './rotate-dialog';
import type { NewToken } from './token-dialog';
import { useBeyond } from './use-beyond';

/** The ⋯ of a key, with the dialogs that it opens. */
export function KeyActions({
  account,
  apiKey,
  onToken,
}: {
  account: ServiceAccount;
  apiKey: Key;
  /** Called with the token of a successor. */
  onToken: (token: NewToken) => void;
}) {
  const [doing, setDoing] = useState<'rotate' | 'edit' | 'revoke'>();
  const { name, status, type } = apiKey;
  const isUsable = status === 'active' || status === 'expiring';
  const mayManage = useCan()('keys:manage') && isUsable;
  const isBeyond = useBeyond(account, apiKey).length > 0;
  const stop = () => setDoing(undefined);
  return (
    <>
      <RowMenu
        label={`Actions for key ${name}`}
        actions={[
          // A key with a public key is rotated by whoever has the new pair: through the API.
          mayManage &&
            !isBeyond &&
            status === 'active' &&
            type === 'token' && {
              label: 'Rotate',
              icon: <RotateCw aria-hidden />,
              onSelect: () => setDoing('rotate'),
            },
          mayManage && {
            label: 'Edit',
            icon: <Pencil aria-hidden />,
            onSelect: () => setDoing('edit'),
          },
          mayManage && {
            label: 'Revoke',
            icon: <Ban aria-hidden />,
            danger: true,
            onSelect: () => setDoing('revoke'),
          },
        ]}
      />
      {doing === 'rotate' && (
        <RotateDialog
          account={account}
          apiKey={apiKey}
          onClose={stop}
          onRotated={(token) => {
            stop();
            onToken(token);
          }}
        />
      )}
      {doing === 'edit' && <EditKeyPanel account={account} apiKey={apiKey} onClose={stop} />}
      {doing === 'revoke' && <RevokeDialog account={account} apiKey={apiKey} onClose={stop} />}
    </>
  );
}

function RevokeDialog({
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
