import type { Role } from '@claviger/sdk';
import { Check } from 'lucide-react';
import { Loading } from '../ui/loading';
import styles from './role-summary.module.css';
import { groupPermissions, usePermissionsQuery } from './use-permissions';

/** What a role opens: the sentences of its permissions, by resource. The names stand in where sentences are not known. */
export function RoleSummary({ role }: { role: Role }) {
  const { data: known, isLoading } = usePermissionsQuery();
  if (role.permissions.length === 0) {
    return <p className={styles.nothing}>This role opens nothing.</p>;
  }
  // Names that become sentences a moment later would only make the form jump.
  if (isLoading) return <Loading />;
  const granted = new Set(role.permissions);
  const explained = (known ?? []).filter(({ permission }) => granted.has(permission));
  for (const { permission } of explained) granted.delete(permission);
  return (
    <div className={styles.summary}>
      {groupPermissions(explained).map(({ resource, title, permissions }) => (
        <div key={resource}>
          <p className={styles.resource}>{title}</p>
          <Sentences
            items={permissions.map(({ permission, description }) => [permission, description])}
          />
        </div>
      ))}
      {granted.size > 0 && <Sentences items={[...granted].map((one) => [one, one])} />}
    </div>
  );
}

function Sentences({ items }: { items: (readonly [key: string, text: string])[] }) {
  return (
    <ul className={styles.list}>
      {items.map(([key, text]) => (
        <li key={key}>
          <Check aria-hidden />
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}
