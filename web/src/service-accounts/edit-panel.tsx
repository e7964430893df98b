import { Form } from '@base-ui/react/form';
import type { ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';
import { AccountFields, type AccountDraft } from './account-fields';

/** Changes what is said about a service account, and its role. */
export function EditPanel({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
  const { id: serviceAccountId, organizationId } = account;
  const queryClient = useQueryClient();
  const [own] = useState<AccountDraft>({
    name: account.name,
    role: account.role.key,
    owner: account.owner,
    description: account.description,
  });
  const [draft, setDraft] = useState(own);
  const [purpose, setPurpose] = useState(account.purpose);
  const [systems, setSystems] = useState(account.systems.join(', '));
  const [documentationUrl, setDocumentationUrl] = useState(account.documentationUrl ?? '');
  const edit = useMutation({
    mutationFn: () =>
      api.serviceAccounts.update({
        organizationId,
        serviceAccountId,
        body: {
          name: draft.name,
          // Changing a role needs more than changing the rest: it is sent only when it is another one.
          ...(draft.role !== own.role && { role: draft.role }),
          ownerId: draft.owner?.id ?? null,
          description: draft.description,
          purpose,
          systems: systems
            .split(',')
            .map((one) => one.trim())
            .filter(Boolean),
          documentationUrl: documentationUrl || null,
        },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      });
      toast(`Saved ${draft.name}`);
      onClose();
    },
  });
  return (
    <SidePanel open onClose={onClose} title={`Edit ${account.name}`}>
      <Form errors={fieldErrors(edit.error)} onFormSubmit={() => edit.mutate()}>
        <DialogBody>
          <ProblemNotice error={edit.error} />
          <AccountFields draft={draft} onChange={setDraft} own={own} />
          <TextField
            name="purpose"
            label="Purpose"
            optional
            hint="What would stop working without it."
            value={purpose}
            onValueChange={setPurpose}
          />
          <TextField
            name="systems"
            label="Systems"
            optional
            hint="What it connects, separated by commas."
            value={systems}
            onValueChange={setSystems}
          />
          <TextField
            name="documentationUrl"
            label="Documentation"
            optional
            type="url"
            placeholder="https://"
            value={documentationUrl}
            onValueChange={setDocumentationUrl}
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
