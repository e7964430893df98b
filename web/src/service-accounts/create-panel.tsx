import { Form } from '@base-ui/react/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { expiresAtOf, ExpiryField, useExpiry } from '../keys/expiry-field';
import { type NewToken, newToken } from '../keys/token-dialog';
import { useLacking } from '../roles/use-roles';
import { useCan, useMe, useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { ProblemNotice } from '../ui/notice';
import { AccountFields, type AccountDraft } from './account-fields';

/** Creates a service account with its first key, and hands that key's token on. */
export function CreatePanel({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (token: NewToken) => void;
}) {
  const { id: organizationId } = useOrganization();
  const me = useMe();
  const queryClient = useQueryClient();
  const [filled, setDraft] = useState<AccountDraft>({
    name: '',
    role: '',
    owner: { id: me.id, name: me.name, email: me.email },
    description: '',
  });
  const firstRole = useFirstRole();
  const draft = { ...filled, role: filled.role || firstRole };
  const [expiry, setExpiry] = useExpiry();
  const create = useMutation({
    mutationFn: async () => {
      const { serviceAccount, key } = await api.serviceAccounts.create({
        organizationId,
        body: {
          name: draft.name,
          role: draft.role,
          ownerId: draft.owner?.id ?? null,
          description: draft.description,
          key: { expiresAt: expiresAtOf(expiry) },
        },
      });
      // Handed on from here: what a mutation answers stays in its cache.
      onCreated(newToken(key, serviceAccount));
    },
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      }),
  });
  return (
    <SidePanel open onClose={onClose} title="Create service account">
      <Form errors={fieldErrors(create.error)} onFormSubmit={() => create.mutate()}>
        <DialogBody>
          <ProblemNotice error={create.error} />
          <AccountFields draft={draft} onChange={setDraft} />
          <ExpiryField name="key/expiresAt" value={expiry} onChange={setExpiry} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={create.isPending}
            disabled={draft.role === ''}
          >
            Submit
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}

/** What stands there until another role is chosen: the built-in one that can only look, where the person may give it. */
function useFirstRole(): string {
  const can = useCan();
  const lacking = useLacking();
  return can('roles:read') && lacking('viewer').length === 0 ? 'viewer' : '';
}
