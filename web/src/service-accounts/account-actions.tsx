import type { ServiceAccount } from '@claviger/sdk';
import { CirclePause, CirclePlay, KeyRound, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useLacking } from '../roles/use-roles';
import { useCan } from '../session/session';
import { RowMenu } from '../ui/menu';
import { onDemand } from '../ui/on-demand';

const EditPanel = onDemand(() => import('./edit-panel').then((module) => module.EditPanel));
const StatusDialog = onDemand(() =>
  import('./status-dialog').then((module) => module.StatusDialog),
);
const DeleteDialog = onDemand(() =>
  import('./delete-dialog').then((module) => module.DeleteDialog),
);

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
