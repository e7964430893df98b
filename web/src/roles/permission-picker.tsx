import type { OrganizationPermission } from '@claviger/sdk';
import { useId } from 'react';
import { reasonsAt } from '../api/client';
import { useCan } from '../session/session';
import { CheckField } from '../ui/check-field';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import styles from './permission-picker.module.css';
import { groupPermissions, usePermissionsQuery } from './use-permissions';

/** Boxes for all permissions, by resource. What the person does not hold cannot be ticked, and says why. */
export function PermissionPicker({
  chosen,
  onChange,
  disabled = false,
  error,
}: {
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
  disabled?: boolean;
  /** What the server said about them. */
  error: unknown;
}) {
  const errorId = useId();
  const query = usePermissionsQuery();
  const { data: permissions } = query;
  if (query.error) return <ProblemNotice error={query.error} retry={query} />;
  if (!permissions) return <Loading />;
  const tick = (permission: string, isTicked: boolean) => {
    const next = new Set(chosen);
    if (isTicked) next.add(permission);
    else next.delete(permission);
    onChange(next);
  };
  return (
    <div role="group" aria-label="Permissions" aria-describedby={errorId}>
      <h3>Permissions</h3>
      <p id={errorId} className={styles.error}>
        {reasonsAt(error, 'permissions')}
      </p>
      {groupPermissions(permissions).map((group) => (
        <fieldset key={group.resource} className={styles.group}>
          <legend>{group.title}</legend>
          {group.permissions.map((one) => (
            <PermissionBox
              key={one.permission}
              permission={one}
              checked={chosen.has(one.permission)}
              onChange={(isTicked) => tick(one.permission, isTicked)}
              disabled={disabled}
            />
          ))}
        </fieldset>
      ))}
    </div>
  );
}

function PermissionBox({
  permission: { permission, description },
  checked,
  onChange,
  disabled,
}: {
  permission: OrganizationPermission;
  checked: boolean;
  onChange: (isTicked: boolean) => void;
  disabled: boolean;
}) {
  const mayGrant = useCan()(permission);
  return (
    <CheckField
      label={description}
      hint={
        <>
          <code>{permission}</code>
          {!mayGrant && ' · You do not hold this, so you cannot grant it.'}
        </>
      }
      checked={checked}
      onChange={onChange}
      disabled={disabled || !mayGrant}
    />
  );
}
