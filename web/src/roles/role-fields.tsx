import type { ReactNode } from 'react';
import { TextAreaField, TextField } from '../ui/field';
import { PermissionPicker } from './permission-picker';

/** A role as it is filled in. */
export interface RoleDraft {
  name: string;
  description: string;
  permissions: ReadonlySet<string>;
}

/** The fields that making and changing a role share; `children` stand below the name. */
export function RoleFields({
  draft,
  change,
  error,
  maySetPermissions = true,
  children,
}: {
  draft: RoleDraft;
  change: (part: Partial<RoleDraft>) => void;
  /** Why the server has refused it. */
  error: unknown;
  maySetPermissions?: boolean;
  children?: ReactNode;
}) {
  return (
    <>
      <TextField
        name="name"
        label="Name"
        required
        maxLength={100}
        value={draft.name}
        onValueChange={(name) => change({ name })}
      />
      {children}
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
        disabled={!maySetPermissions}
        error={error}
      />
    </>
  );
}
