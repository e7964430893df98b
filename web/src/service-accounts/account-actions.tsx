import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CirclePause, CirclePlay, KeyRound, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { useLacking } from '../roles/use-roles';
import { useCan } from '../session/session';
import { ConfirmDialog } from '../ui/dialog';
import { RowMenu } from '../ui/menu';
import { toast } from '../ui/toast';
import { DeleteDialog } from './delete-dialog';
import { EditPanel } from './edit-panel';

type Doing = 'edit' | 'disable' | 'enable' | 'delete';

/** The ⋯ of a service account, with the dialogs that it opens. */
export function AccountActions({
  account,
  onDeleted,
}: {
  account: ServiceAccount;
  onDeleted?: () => void | Promise<void>;
}) {
  const [doing, setDoing] = useState<Doing>();
  const navigate = useNavigate();
  const can = useCan();
  const mayManage = can('service-accounts:manage');
  const { id, organizationId, name, status, role } = account;
  const isBeyond = useLacking()(role.key).length > 0;
  const stop = () => setDoing(undefined);
  return (
    <>
      <RowMenu
        label={`Actions for ${name}`}
        actions={[
          can('keys:read') && {
            label: 'Manage keys',
            icon: <KeyRound aria-hidden />,
            onSelect: () =>
              void navigate(`/organizations/${organizationId}/service-accounts/${id}/keys`),
          },
          mayManage && {
            label: 'Edit',
            icon: <Pencil aria-hidden />,
            onSelect: () => setDoing('edit'),
          },
          mayManage &&
            status === 'active' && {
              label: 'Disable',
              icon: <CirclePause aria-hidden />,
              onSelect: () => setDoing('disable'),
            },
          // Nobody lets in what can do more than they.
          mayManage &&
            status === 'disabled' &&
            !isBeyond && {
              label: 'Enable',
              icon: <CirclePlay aria-hidden />,
              onSelect: () => setDoing('enable'),
            },
          mayManage && {
            label: 'Delete',
            icon: <Trash2 aria-hidden />,
            danger: true,
            onSelect: () => setDoing('delete'),
          },
        ]}
      />
      {doing === 'edit' && <EditPanel account={account} onClose={stop} />}
      {(doing === 'disable' || doing === 'enable') && (
        <StatusDialog account={account} to={doing} onClose={stop} />
      )}
      {doing === 'delete' && (
        <DeleteDialog account={account} onClose={stop} onDeleted={onDeleted} />
      )}
    </>
  );
}

function StatusDialog({
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
