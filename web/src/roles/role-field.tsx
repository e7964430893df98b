import { useCan } from '../session/session';
import { TextField } from '../ui/field';
import { SelectField } from '../ui/select';
import styles from './role-field.module.css';
import { RoleSummary } from './role-summary';
import { useLacking, useRoles } from './use-roles';

/** So many permissions that somebody lacks are named. */
const MOST_NAMED = 3;

/** Picks a role. Nobody gives more than they hold themselves: a role that permits more cannot be chosen, and says why. */
export function RoleField({
  value,
  onChange,
  hint,
  current,
}: {
  value: string;
  onChange: (key: string) => void;
  hint?: string;
  /** The role that is to be replaced; one that permits more than the person holds stays. */
  current?: string;
}) {
  const can = useCan();
  const roles = useRoles();
  const lacking = useLacking();
  if (!can('roles:read')) {
    return (
      <TextField
        name="role"
        label="Role"
        hint="The key of a role. You may not see the list of roles."
        required
        value={value}
        onValueChange={onChange}
      />
    );
  }
  const isFixed = current !== undefined && lacking(current).length > 0;
  const chosen = roles?.find(({ key }) => key === value);
  return (
    <div className={styles.field}>
      <SelectField
        name="role"
        label="Role"
        hint={isFixed ? 'This role permits more than you hold: you cannot change it.' : hint}
        choices={(roles ?? []).map(({ key, name, description }) => {
          const missing = lacking(key);
          return missing.length === 0
            ? { value: key, label: name, note: description }
            : { value: key, label: name, note: reasonFor(missing), disabled: true };
        })}
        value={value}
        onChange={onChange}
        disabled={isFixed}
      />
      {chosen && <RoleSummary role={chosen} />}
    </div>
  );
}

function reasonFor(missing: readonly string[]): string {
  const more = missing.length - MOST_NAMED;
  const named = missing.slice(0, MOST_NAMED).join(', ');
  return `You do not hold ${named}${more > 0 ? ` and ${more} more` : ''}, so you cannot give it.`;
}
