import type { OrganizationPermission, Role } from '@claviger/sdk';
import { Check } from 'lucide-react';
import styles from './permission-matrix.module.css';
import { groupPermissions } from './use-permissions';

/** Which role holds which permission. It scrolls in its own frame; the permissions stay in sight. */
export function PermissionMatrix({
  roles,
  permissions,
}: {
  roles: readonly Role[];
  permissions: readonly OrganizationPermission[];
}) {
  const columns = roles.map((role) => ({ role, held: new Set(role.permissions) }));
  return (
    // Focusable, so that it can be scrolled with the keys.
    <div className={styles.frame} tabIndex={0} role="region" aria-label="Permissions by role">
      <table className={styles.matrix}>
        <thead>
          <tr>
            <th scope="col" className={styles.first}>
              Permission
            </th>
            {roles.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {groupPermissions(permissions).map((group) => (
          <tbody key={group.resource}>
            <tr>
              <th scope="rowgroup" className={`${styles.first} ${styles.group}`}>
                {group.title}
              </th>
              <td colSpan={roles.length} className={styles.group} />
            </tr>
            {group.permissions.map(({ permission, description }) => (
              <tr key={permission}>
                <th scope="row" className={styles.first}>
                  {description}
                  <code className={styles.name}>{permission}</code>
                </th>
                {columns.map(({ role, held }) => (
                  <td key={role.key}>
                    <Tick held={held.has(permission)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Tick({ held }: { held: boolean }) {
  return (
    <>
      {held ? <Check aria-hidden className={styles.tick} /> : <span aria-hidden>–</span>}
      <span className="visually-hidden">{held ? 'Yes' : 'No'}</span>
    </>
  );
}
