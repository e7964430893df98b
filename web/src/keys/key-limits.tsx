import { useRoles } from '../roles/use-roles';
import { CheckField } from '../ui/check-field';
import { TextAreaField } from '../ui/field';
import styles from './key-limits.module.css';

/** What narrows a key, as it is filled in. */
export interface LimitsDraft {
  /** Null: all that the role permits. */
  permissions: string[] | null;
  /** One network a line. */
  cidrs: string;
}

/** A key that may do all of its role, from anywhere. */
export const NO_LIMITS: LimitsDraft = { permissions: null, cidrs: '' };

/** What the API wants to hear. */
export function limitsOf({ permissions, cidrs }: LimitsDraft): {
  permissions: string[] | null;
  allowedCidrs: string[];
} {
  return { permissions, allowedCidrs: cidrs.split(/[\s,]+/).filter(Boolean) };
}

/** Narrows a key to some of its role's permissions, and to some networks. */
export function KeyLimits({
  roleKey,
  draft,
  onChange,
}: {
  roleKey: string;
  draft: LimitsDraft;
  onChange: (draft: LimitsDraft) => void;
}) {
  const role = useRoles()?.find(({ key }) => key === roleKey);
  const { permissions } = draft;
  const toggle = (permission: string) => (isChosen: boolean) => {
    const others = (permissions ?? []).filter((one) => one !== permission);
    onChange({ ...draft, permissions: isChosen ? [...others, permission] : others });
  };
  return (
    <>
      <CheckField
        label="Only some of the role's permissions"
        hint="Otherwise the key may do all that the role permits, now and later."
        checked={permissions !== null}
        onChange={(isNarrow) => onChange({ ...draft, permissions: isNarrow ? [] : null })}
      />
      {permissions !== null && (
        <fieldset className={styles.permissions}>
          <legend className="visually-hidden">Permissions of the key</legend>
          {role?.permissions.map((permission) => (
            <CheckField
              key={permission}
              label={<code>{permission}</code>}
              checked={permissions.includes(permission)}
              onChange={toggle(permission)}
            />
          ))}
        </fieldset>
      )}
      <TextAreaField
        name="allowedCidrs"
        label="Allowed networks"
        optional
        rows={2}
        placeholder="203.0.113.0/24"
        hint="One a line. The token is refused from anywhere else."
        value={draft.cidrs}
        onChange={(event) => onChange({ ...draft, cidrs: event.target.value })}
      />
    </>
  );
}
