import { Form } from '@base-ui/react/form';
import type { Role } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors, isProblem } from '../api/client';
import { ME } from '../api/query-client';
import { useCan, useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { DialogBody, DialogFooter, SidePanel } from '../ui/dialog';
import { TextAreaField, TextField } from '../ui/field';
import { Notice, ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';
import { PermissionPicker } from './permission-picker';
import { suggestRoleKey } from './role-key';

/** What the form holds. */
interface Draft {
  name: string;
  /** Undefined while it follows the name. */
  key: string | undefined;
  description: string;
  permissions: ReadonlySet<string>;
}

/** Makes a role, as a copy of `from` where one is given, or changes `role`. */
export function RoleForm({
  role,
  from,
  onClose,
}: {
  role?: Role;
  from?: Role;
  onClose: () => void;
}) {
  const organization = useOrganization();
  const can = useCan();
  const [draft, setDraft] = useState(() => draftOf(role, from, can));
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const isOwn = role !== undefined && organization.role.key === role.key;
  const key = draft.key ?? suggestRoleKey(draft.name);
  const save = useSave({ ...draft, key }, role, isOwn, onClose);
  const taken = isProblem(save.error, 'name_taken') ? save.error : undefined;
  const errors = taken ? { key: [taken.message] } : fieldErrors(save.error);
  return (
    <SidePanel open onClose={onClose} title={role ? `Edit “${role.name}”` : 'New role'}>
      <Form errors={errors} onFormSubmit={() => save.mutate()}>
        <DialogBody>
          {!taken && <ProblemNotice error={save.error} />}
          {role && <Warnings role={role} isOwn={isOwn} />}
          <TextField
            name="name"
            label="Name"
            required
            maxLength={100}
            value={draft.name}
            onValueChange={(name) => change({ name })}
          />
          {!role && (
            <TextField
              name="key"
              label="Key"
              hint="How the role is named in the API. It cannot be changed later."
              required
              pattern="[a-z][a-z0-9\-]{1,62}"
              maxLength={63}
              spellCheck={false}
              autoCapitalize="none"
              value={key}
              onValueChange={(chosen) => change({ key: chosen === '' ? undefined : chosen })}
            />
          )}
          <TextAreaField
            name="description"
            label="Description"
            optional
            maxLength={1000}
            value={draft.description}
            onChange={({ target }) => change({ description: target.value })}
          />
          <PermissionPicker
            chosen={draft.permissions}
            onChange={(permissions) => change({ permissions })}
            disabled={isOwn}
            error={save.error}
          />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            {role ? 'Save changes' : 'Create role'}
          </Button>
        </DialogFooter>
      </Form>
    </SidePanel>
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

function draftOf(
  role: Role | undefined,
  from: Role | undefined,
  can: (permission: string) => boolean,
): Draft {
  if (role) {
    const { key, name, description, permissions } = role;
    return { key, name, description, permissions: new Set(permissions) };
  }
  return {
    name: from ? `Copy of ${from.name}` : '',
    key: undefined,
    description: from?.description ?? '',
    permissions: new Set(from?.permissions.filter(can)),
  };
}

function useSave(
  { key, name, description, permissions }: Draft & { key: string },
  role: Role | undefined,
  isOwn: boolean,
  onDone: () => void,
) {
  const { id } = useOrganization();
  const queryClient = useQueryClient();
  const body = { name: name.trim(), description: description.trim() };
  const granted = isOwn ? {} : { permissions: [...permissions] };
  return useMutation({
    mutationFn: () =>
      role
        ? api.roles.update({ organizationId: id, roleKey: key, body: { ...body, ...granted } })
        : api.roles.create({
            organizationId: id,
            body: { ...body, key, permissions: [...permissions] },
          }),
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: ['organizations', id, 'roles'] });
      if (isOwn) await queryClient.invalidateQueries({ queryKey: ME });
      toast(role ? `Role “${saved.name}” changed` : `Role “${saved.name}” created`);
      onDone();
    },
  });
}
