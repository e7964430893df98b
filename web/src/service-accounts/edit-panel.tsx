import { Form } from '@base-ui/react/form';
import type { ServiceAccount } from '@claviger/sdk';
import { useQueryClient } from '@tanstack/react-query';
import { api, fieldErrors } from '../api/client';
import { EditNotice } from '../edit/edit-notice';
import { Fresh } from '../edit/fresh';
import { type Edit, useEdit } from '../edit/use-edit';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { toast } from '../ui/toast';
import { AccountFields, type AccountDraft } from './account-fields';

interface Draft extends AccountDraft {
  purpose: string;
  /** Separated by commas. */
  systems: string;
  documentationUrl: string;
}

interface EditProps {
  account: ServiceAccount;
  onClose: () => void;
}

/** Changes what is said about a service account, and its role. */
export function EditPanel({ account, onClose }: EditProps) {
  const { id, organizationId } = account;
  return (
    <SidePanel open onClose={onClose} title={`Edit ${account.name}`}>
      <Fresh of={[organizationId, id]} read={() => read(account)}>
        {(fresh) => <EditForm account={fresh} onClose={onClose} />}
      </Fresh>
    </SidePanel>
  );
}

function EditForm({ account, onClose }: EditProps) {
  const edit = useAccountEdit(account, onClose);
  const { draft, change, save, seen } = edit;
  return (
    <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
      <DialogBody>
        <EditNotice edit={edit} />
        <AccountFields draft={draft} onChange={change} own={toDraft(seen)} />
        <MoreFields {...{ draft, change }} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={save.isPending}>
          Save
        </Button>
      </DialogFooter>
    </Form>
  );
}

function MoreFields({ draft, change }: Pick<Edit<ServiceAccount, Draft>, 'draft' | 'change'>) {
  return (
    <>
      <TextField
        name="purpose"
        label="Purpose"
        optional
        hint="What would stop working without it."
        value={draft.purpose}
        onValueChange={(purpose) => change({ purpose })}
      />
      <TextField
        name="systems"
        label="Systems"
        optional
        hint="What it connects, separated by commas."
        value={draft.systems}
        onValueChange={(systems) => change({ systems })}
      />
      <TextField
        name="documentationUrl"
        label="Documentation"
        optional
        type="url"
        placeholder="https://"
        value={draft.documentationUrl}
        onValueChange={(documentationUrl) => change({ documentationUrl })}
      />
    </>
  );
}

function useAccountEdit(account: ServiceAccount, onClose: () => void) {
  const { id: serviceAccountId, organizationId } = account;
  const queryClient = useQueryClient();
  return useEdit<ServiceAccount, Draft>(account, {
    toDraft,
    facts,
    read: () => read(account),
    save: (draft, { seen, ifMatch }) =>
      api.serviceAccounts.update({
        organizationId,
        serviceAccountId,
        body: changesOf(draft, seen),
        ifMatch,
      }),
    onSaved: async ({ name }) => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      });
      toast(`Saved ${name}`);
      onClose();
    },
  });
}

function read({ id, organizationId }: ServiceAccount): Promise<ServiceAccount> {
  return api.serviceAccounts.get({ organizationId, serviceAccountId: id });
}

function toDraft({ role, owner, ...account }: ServiceAccount): Draft {
  return {
    name: account.name,
    role: role.key,
    owner,
    description: account.description,
    purpose: account.purpose,
    systems: account.systems.join(', '),
    documentationUrl: account.documentationUrl ?? '',
  };
}

function facts({ role, owner, ...account }: ServiceAccount): Record<string, string> {
  return {
    Name: account.name,
    Role: role.name,
    Owner: owner?.name ?? '',
    Description: account.description,
    Purpose: account.purpose,
    Systems: account.systems.join(', '),
    Documentation: account.documentationUrl ?? '',
  };
}

function changesOf(draft: Draft, seen: ServiceAccount) {
  return {
    name: draft.name,
    // Changing a role needs more than changing the rest: it is sent only when it is another one.
    ...(draft.role !== seen.role.key && { role: draft.role }),
    ownerId: draft.owner?.id ?? null,
    description: draft.description,
    purpose: draft.purpose,
    systems: draft.systems
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
    documentationUrl: draft.documentationUrl || null,
  };
}
