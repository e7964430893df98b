import { Form } from '@base-ui/react/form';
import type { Key, ServiceAccount } from '@claviger/sdk';
import { useQueryClient } from '@tanstack/react-query';
import { api, fieldErrors } from '../api/client';
import { EditNotice } from '../edit/edit-notice';
import { Fresh } from '../edit/fresh';
import { useEdit } from '../edit/use-edit';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Notice } from '../ui/notice';
import { toast } from '../ui/toast';
import { KeyLimits, limitsOf, type LimitsDraft } from './key-limits';
import { useBeyond } from './use-beyond';

interface Draft extends LimitsDraft {
  name: string;
}

interface EditProps {
  account: ServiceAccount;
  apiKey: Key;
  onClose: () => void;
}

/** Changes a key's name and what narrows it. Its token stays the same. */
export function EditKeyPanel({ account, apiKey, onClose }: EditProps) {
  const ids = idsOf(account, apiKey);
  return (
    <SidePanel open onClose={onClose} title={`Edit key ${apiKey.name}`}>
      <Fresh of={Object.values(ids)} read={() => api.keys.get(ids)}>
        {(fresh) => <EditForm account={account} apiKey={fresh} onClose={onClose} />}
      </Fresh>
    </SidePanel>
  );
}

function EditForm({ account, apiKey, onClose }: EditProps) {
  const edit = useKeyEdit(account, apiKey, onClose);
  const { draft, change, save, seen } = edit;
  const beyond = useBeyond(account, seen);
  return (
    <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
      <DialogBody>
        <EditNotice edit={edit} />
        <TextField
          name="name"
          label="Name"
          required
          maxLength={100}
          value={draft.name}
          onValueChange={(name) => change({ name })}
        />
        {beyond.length > 0 && (
          <Notice title="This key can do more than you">
            You can narrow it, but not widen it: neither its permissions nor its networks.
          </Notice>
        )}
        <KeyLimits
          roleKey={account.role.key}
          draft={draft}
          onChange={change}
          before={seen.permissions}
          error={save.error}
        />
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

function useKeyEdit(account: ServiceAccount, apiKey: Key, onClose: () => void) {
  const ids = idsOf(account, apiKey);
  const queryClient = useQueryClient();
  return useEdit<Key, Draft>(apiKey, {
    toDraft: ({ name, permissions, allowedCidrs }) => ({
      name,
      permissions,
      cidrs: allowedCidrs.join('\n'),
    }),
    facts: ({ name, permissions, allowedCidrs }) => ({
      Name: name,
      Permissions: permissions === null ? 'all of the role' : permissions.join(', '),
      'Allowed networks': allowedCidrs.join(', ') || 'any',
    }),
    read: () => api.keys.get(ids),
    save: ({ name, ...limits }, { ifMatch }) =>
      api.keys.update({ ...ids, body: { name, ...limitsOf(limits) }, ifMatch }),
    onSaved: async ({ name }) => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', ids.organizationId, 'service-accounts'],
      });
      toast(`Saved ${name}`);
      onClose();
    },
  });
}

function idsOf({ organizationId, id: serviceAccountId }: ServiceAccount, { id: keyId }: Key) {
  return { organizationId, serviceAccountId, keyId };
}
