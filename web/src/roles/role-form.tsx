import { Form } from '@base-ui/react/form';
import type { Role } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors, isProblem } from '../api/client';
import { ME } from '../api/query-client';
import { EditNotice } from '../edit/edit-notice';
import { Fresh } from '../edit/fresh';
import { useEdit } from '../edit/use-edit';
import { useCan, useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Notice, ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';
import { type RoleDraft, RoleFields } from './role-fields';
import { suggestRoleKey } from './role-key';

/** Makes a role, as a copy of `from` where one is given. */
export function NewRole({ from, onClose }: { from?: Role; onClose: () => void }) {
  const can = useCan();
  const [draft, setDraft] = useState<RoleDraft>(() => ({
    name: from ? `Copy of ${from.name}` : '',
    description: from?.description ?? '',
    permissions: new Set(from?.permissions.filter(can)),
  }));
  /** Undefined while it follows the name. */
  const [chosenKey, setChosenKey] = useState<string>();
  const key = chosenKey ?? suggestRoleKey(draft.name);
  const create = useCreate({ ...draft, key }, onClose);
  const taken = isProblem(create.error, 'name_taken') ? create.error : undefined;
  const errors = taken ? { key: [taken.message] } : fieldErrors(create.error);
  return (
    <SidePanel open onClose={onClose} title="New role">
      <Form errors={errors} onFormSubmit={() => create.mutate()}>
        <DialogBody>
          {!taken && <ProblemNotice error={create.error} />}
          <RoleFields
            draft={draft}
            error={create.error}
            change={(part) => setDraft((before) => ({ ...before, ...part }))}
          >
            <KeyField value={key} onChange={(chosen) => setChosenKey(chosen || undefined)} />
          </RoleFields>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            Create role
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
  );
}

function KeyField({ value, onChange }: { value: string; onChange: (key: string) => void }) {
  return (
    <TextField
      name="key"
      label="Key"
      hint="How the role is named in the API. It cannot be changed later."
      required
      pattern="[a-z][a-z0-9\-]{1,62}"
      maxLength={63}
      spellCheck={false}
      autoCapitalize="none"
      value={value}
      onValueChange={onChange}
    />
  );
}

interface EditProps {
  role: Role;
  onClose: () => void;
}

/** Changes a role. */
export function EditRole({ role, onClose }: EditProps) {
  const { id: organizationId } = useOrganization();
  const { key: roleKey } = role;
  return (
    <SidePanel open onClose={onClose} title={`Edit “${role.name}”`}>
      <Fresh of={[organizationId, roleKey]} read={() => api.roles.get({ organizationId, roleKey })}>
        {(fresh) => <EditForm role={fresh} onClose={onClose} />}
      </Fresh>
    </SidePanel>
  );
}

function EditForm({ role, onClose }: EditProps) {
  const isOwn = useOrganization().role.key === role.key;
  const edit = useRoleEdit(role, isOwn, onClose);
  const { draft, change, save, seen } = edit;
  return (
    <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
      <DialogBody>
        <EditNotice edit={edit} />
        <Warnings role={seen} isOwn={isOwn} />
        <RoleFields {...{ draft, change }} error={save.error} maySetPermissions={!isOwn} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={save.isPending}>
          Save changes
        </Button>
      </DialogFooter>
    </Form>
  );
}

function Warnings({ role, isOwn }: { role: Role; isOwn: boolean }) {
  if (isOwn) {
    return (
      <Notice title="This is your own role">
        You can change its name and description. Nobody changes what they may do themselves.
      </Notice>
    );
  }
  if (role.memberCount === 0) return null;
  return (
    <Notice>
      A change holds at once for everybody who has the role: {role.memberCount}{' '}
      {role.memberCount === 1 ? 'user or service account' : 'users and service accounts'}.
    </Notice>
  );
}

function useCreate(draft: RoleDraft & { key: string }, onDone: () => void) {
  const { id: organizationId } = useOrganization();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () =>
      api.roles.create({ organizationId, body: { ...bodyOf(draft), key: draft.key } }),
    onSuccess: async ({ name }) => {
      await queryClient.invalidateQueries({ queryKey: ['organizations', organizationId, 'roles'] });
      toast(`Role “${name}” created`);
      onDone();
    },
  });
}

function useRoleEdit(role: Role, isOwn: boolean, onDone: () => void) {
  const ids = { organizationId: useOrganization().id, roleKey: role.key };
  const queryClient = useQueryClient();
  return useEdit<Role, RoleDraft>(role, {
    toDraft: ({ name, description, permissions }) => ({
      name,
      description,
      permissions: new Set(permissions),
    }),
    facts: ({ name, description, permissions }) => ({
      Name: name,
      Description: description,
      Permissions: permissions.join(', '),
    }),
    read: () => api.roles.get(ids),
    save: (draft, { ifMatch }) => {
      const { permissions, ...words } = bodyOf(draft);
      const body = isOwn ? words : { ...words, permissions };
      return api.roles.update({ ...ids, body, ifMatch });
    },
    onSaved: async ({ name }) => {
      await queryClient.invalidateQueries({
        queryKey: ['organizations', ids.organizationId, 'roles'],
      });
      if (isOwn) await queryClient.invalidateQueries({ queryKey: ME });
      toast(`Role “${name}” changed`);
      onDone();
    },
  });
}

function bodyOf({ name, description, permissions }: RoleDraft) {
  return {
    name: name.trim(),
    description: description.trim(),
    permissions: [...permissions],
  };
}
