import { Menu } from '@base-ui/react/menu';
import { Check, ChevronsUpDown, Plus } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMe, useMembership } from '../session/session';
import { DropDown, menuItemClass } from '../ui/menu';
import { onDemand } from '../ui/on-demand';
import styles from './switcher.module.css';

const NewOrganizationDialog = onDemand(() =>
  import('../organization/new-organization-dialog').then((module) => module.NewOrganizationDialog),
);

/** Which organization's settings are shown, and the others that the person works in. */
export function OrganizationSwitcher() {
  const { organizations, instanceAdministrator } = useMe();
  const current = useMembership();
  const navigate = useNavigate();
  const [isCreating, setCreating] = useState(false);
  if (organizations.length === 0 && !instanceAdministrator) return null;
  return (
    <>
      <DropDown
        trigger={
          <Menu.Trigger
            className={styles.trigger}
            aria-label={`Organization: ${current?.name ?? 'none'}`}
          >
            <span className={styles.name}>{current?.name ?? 'Choose an organization'}</span>
            <ChevronsUpDown aria-hidden />
          </Menu.Trigger>
        }
      >
        {organizations.map(({ id, name, role }) => (
          <Menu.Item
            key={id}
            className={menuItemClass}
            onClick={() => void navigate(`/organizations/${id}`)}
          >
            <span className={styles.item}>
              <span>{name}</span>
              <span className={styles.role}>{role.name}</span>
            </span>
            {id === current?.id && <Check aria-label="shown" />}
          </Menu.Item>
        ))}
        {instanceAdministrator && (
          <>
            {organizations.length > 0 && <div className={styles.separator} />}
            <Menu.Item className={menuItemClass} onClick={() => setCreating(true)}>
              <Plus aria-hidden /> New organization…
            </Menu.Item>
          </>
        )}
      </DropDown>
      {isCreating && <NewOrganizationDialog onClose={() => setCreating(false)} />}
    </>
  );
}
