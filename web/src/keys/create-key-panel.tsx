import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { SidePanel } from '../ui/dialog';
import { DialogForm } from '../ui/dialog-form';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { expiresAtOf } from './expiry';
import { ExpiryField, useExpiry } from './expiry-field';
import { KeyLimits, limitsOf, useNewLimits } from './key-limits';
import { type NewToken, newToken } from './token-dialog';

/** Creates one more key of a service account, and hands its token on. */
export function CreateKeyPanel({
  account,
  onClose,
  onCreated,
}: {
  account: ServiceAccount;
  onClose: () => void;
  onCreated: (token: NewToken) => void;
}) {
  const [name, setName] = useState('');
  const [expiry, setExpiry] = useExpiry();
  const [limits, setLimits] = useNewLimits(account.role.key);
  const create = useCreate(account, onCreated, () => ({
    name,
    expiresAt: expiresAtOf(expiry),
    ...limitsOf(limits),
  }));
  return (
    <SidePanel open onClose={onClose} title="Create key" description={`For ${account.name}`}>
      <DialogForm work={create} submit="Create key" onCancel={onClose}>
        <ProblemNotice error={create.error} />
        <TextField
          name="name"
          label="Name"
          required
          maxLength={100}
          placeholder="Production"
          hint="Where the token is going to be used."
          value={name}
          onValueChange={setName}
        />
        <ExpiryField name="expiresAt" value={expiry} onChange={setExpiry} />
        <KeyLimits
          roleKey={account.role.key}
          draft={limits}
          onChange={setLimits}
          error={create.error}
        />
      </DialogForm>
    </SidePanel>
  );
}

type NewKey = Parameters<typeof api.keys.create>[0]['body'];

function useCreate(
  account: ServiceAccount,
  onCreated: (token: NewToken) => void,
  bodyOf: () => NewKey,
) {
  const { id: serviceAccountId, organizationId } = account;
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const key = await api.keys.create({ organizationId, serviceAccountId, body: bodyOf() });
      onCreated(newToken(key, account));
    },
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      }),
  });
}
