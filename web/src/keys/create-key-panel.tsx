import { Form } from '@base-ui/react/form';
import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { expiresAtOf, ExpiryField, useExpiry } from './expiry-field';
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
  const { id: serviceAccountId, organizationId } = account;
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [expiry, setExpiry] = useExpiry();
  const [limits, setLimits] = useNewLimits(account.role.key);
  const create = useMutation({
    mutationFn: async () => {
      const key = await api.keys.create({
        organizationId,
        serviceAccountId,
        body: { name, expiresAt: expiresAtOf(expiry), ...limitsOf(limits) },
      });
      onCreated(newToken(key, account));
    },
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      }),
  });
  return (
    <SidePanel open onClose={onClose} title="Create key" description={`For ${account.name}`}>
      <Form errors={fieldErrors(create.error)} onFormSubmit={() => create.mutate()}>
        <DialogBody>
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
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            Create key
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}
