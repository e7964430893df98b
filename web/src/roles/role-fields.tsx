import type { ReactNode } from 'react';
import type { FieldErrors } from '../api/client';
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
  errors,
  maySetPermissions = true,
  children,
}: {
  draft: RoleDraft;
  change: (part: Partial<RoleDraft>) => void;
  errors: FieldErrors;
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
        errors={Object.entries(errors).flatMap(([name, texts]) =>
          name.split('/')[0] === 'permissions' ? texts : [],
        )}
      />
    </>
  );
}
