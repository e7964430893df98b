import { RoleSummary } from '../roles/role-summary';
import { useRoles } from '../roles/use-roles';
import { useCan } from '../session/session';
import { TextField } from '../ui/field';
import { SelectField } from '../ui/select';
import styles from './role-field.module.css';

/** Picks a role among those that the person may give: nobody gives more than they hold themselves. */
export function RoleField({ value, onChange }: { value: string; onChange: (key: string) => void }) {
  const can = useCan();
  const roles = useRoles();
  const chosen = roles?.find(({ key }) => key === value);
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
  const givable = (roles ?? []).filter(
    ({ key, permissions }) => key === value || permissions.every(can),
  );
  return (
    <div className={styles.field}>
      <SelectField
        name="role"
        label="Role"
        hint={
          roles && givable.length < roles.length
            ? 'Roles that can do more than you are not in this list.'
            : undefined
        }
        choices={givable.map(({ key, name, description }) => ({
          value: key,
          label: name,
          note: description,
        }))}
        value={value}
        onChange={onChange}
      />
      {chosen && <RoleSummary role={chosen} />}
    </div>
  );
}
