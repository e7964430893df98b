import { Form } from '@base-ui/react/form';
import type { Key, ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Notice, ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';
import { KeyLimits, limitsOf, type LimitsDraft } from './key-limits';
import { useBeyond } from './use-beyond';

/** Changes a key's name and what narrows it. Its token stays the same. */
export function EditKeyPanel({
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
  const beyond = useBeyond(account, apiKey);
  const [name, setName] = useState(apiKey.name);
  const [limits, setLimits] = useState<LimitsDraft>({
    permissions: apiKey.permissions,
    cidrs: apiKey.allowedCidrs.join('\n'),
  });
  const edit = useMutation({
    mutationFn: () =>
      api.keys.update({
        organizationId,
        serviceAccountId,
        keyId: apiKey.id,
        body: { name, ...limitsOf(limits) },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      });
      toast(`Saved ${name}`);
      onClose();
    },
  });
  return (
    <SidePanel open onClose={onClose} title={`Edit key ${apiKey.name}`}>
      <Form errors={fieldErrors(edit.error)} onFormSubmit={() => edit.mutate()}>
        <DialogBody>
          <ProblemNotice error={edit.error} />
          <TextField
            name="name"
            label="Name"
            required
            maxLength={100}
            value={name}
            onValueChange={setName}
          />
          {beyond.length > 0 && (
            <Notice title="This key can do more than you">
              You can narrow it, but not widen it: neither its permissions nor its networks.
            </Notice>
          )}
          <KeyLimits
            roleKey={account.role.key}
            draft={limits}
            onChange={setLimits}
            before={apiKey.permissions}
            error={edit.error}
          />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={edit.isPending}>
            Save
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}
