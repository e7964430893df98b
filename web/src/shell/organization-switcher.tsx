import { Menu } from '@base-ui/react/menu';
import { Check, ChevronsUpDown } from 'lucide-react';
import { useNavigate } from 'react-router';
import { useMe, useMembership } from '../session/session';
import { DropDown, menuItemClass } from '../ui/menu';
import styles from './switcher.module.css';

/** Which organization's settings are shown, and the others that the person works in. */
export function OrganizationSwitcher() {
  const { organizations } = useMe();
  const current = useMembership();
  const navigate = useNavigate();
  if (organizations.length === 0) return null;
  return (
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
    </DropDown>
  );
}
