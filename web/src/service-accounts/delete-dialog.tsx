import { Field } from '@base-ui/react/field';
import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { useCan } from '../session/session';
import { ConfirmDialog } from '../ui/dialog';
import fieldStyles from '../ui/field.module.css';
import { Notice } from '../ui/notice';
import { Time } from '../ui/time';
import { toast } from '../ui/toast';

/**
 * Deletes a service account, once its name was typed; shows first whether anything still uses it. `onDeleted` leaves the
 * pages that are about it.
 */
export function DeleteDialog({
  account,
  onClose,
  onDeleted,
}: {
  account: ServiceAccount;
  onClose: () => void;
  onDeleted?: () => void | Promise<void>;
}) {
  const { name } = account;
  const [typed, setTyped] = useState('');
  const remove = useDeletion(account, onClose, onDeleted);
  return (
    <ConfirmDialog
      open
      title={`Delete ${name}?`}
      confirm="Delete"
      danger
      busy={remove.isPending}
      disabled={typed !== name}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onCancel={onClose}
    >
      <p>
        All its keys are revoked: requests with them are refused from now on. What it did stays on
        the audit trail under its name. This cannot be undone.
      </p>
      <LastUse account={account} />
      <Field.Root className={fieldStyles.field}>
        <Field.Label className={fieldStyles.label}>
          Type <strong>{name}</strong> to confirm
        </Field.Label>
        <Field.Control
          className={fieldStyles.input}
          autoComplete="off"
          value={typed}
          onValueChange={setTyped}
        />
      </Field.Root>
    </ConfirmDialog>
  );
}

function useDeletion(
  account: ServiceAccount,
  onClose: () => void,
  onDeleted?: () => void | Promise<void>,
) {
  const { id: serviceAccountId, organizationId, name } = account;
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => api.serviceAccounts.delete({ organizationId, serviceAccountId }),
    onSuccess: async () => {
      // What is gone is forgotten, and not asked about again: so whatever shows it must be left first.
      await onDeleted?.();
      onClose();
      const accounts = ['organizations', organizationId, 'service-accounts'];
      queryClient.removeQueries({ queryKey: [...accounts, serviceAccountId] });
      toast(`Deleted ${name}`);
      await queryClient.invalidateQueries({ queryKey: accounts });
    },
  });
}

/** When and from where it was last used. */
function LastUse({ account: { id, organizationId, lastUsedAt } }: { account: ServiceAccount }) {
  const { data } = useQuery({
    queryKey: ['organizations', organizationId, 'service-accounts', id, 'usage'],
    queryFn: () => api.serviceAccounts.usage({ organizationId, serviceAccountId: id }),
    enabled: useCan()('keys:read'),
  });
  const last = data?.lastUsed;
  // The row in the list may be older than the use that matters.
  const at = last?.at ?? lastUsedAt;
  if (!at) return <Notice title="It has never been used" />;
  return (
    <Notice
      tone="warning"
      title={
        <>
          It was last used <Time at={at} />
        </>
      }
    >
      {last?.ip && (
        <>
          From <code>{last.ip}</code>
          {last.key && <>, with the key {last.key.name}</>}.
        </>
      )}
    </Notice>
  );
}
