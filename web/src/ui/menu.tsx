import { Menu } from '@base-ui/react/menu';
import { Ellipsis } from 'lucide-react';
import type { ReactNode } from 'react';
import styles from './menu.module.css';
import { onDemand } from './on-demand';

const MenuPopup = onDemand(() => import('./menu-popup').then((module) => module.MenuPopup));

/** What a menu offers; a falsy one is left out, so that a permission can decide. */
export type MenuAction =
  { label: string; icon?: ReactNode; onSelect: () => void; danger?: boolean } | false | undefined;

/** The ⋯ of a row. `label` says whose it is. Renders nothing when there is nothing to offer. */
export function RowMenu({ label, actions }: { label: string; actions: MenuAction[] }) {
  if (!actions.some(Boolean)) return null;
  return (
    <DropDown
      trigger={
        <Menu.Trigger className={styles.ellipsis} aria-label={label}>
          <Ellipsis aria-hidden />
        </Menu.Trigger>
      }
      align="end"
    >
      {actions.map(
        (action) =>
          action && (
            <Menu.Item
              key={action.label}
              className={`${styles.item} ${action.danger ? styles.danger : ''}`}
              onClick={action.onSelect}
            >
              {action.icon}
              {action.label}
            </Menu.Item>
          ),
      )}
    </DropDown>
  );
}

/** A menu under a trigger (a `Menu.Trigger`). Its entries are `Menu.Item`s with {@link menuItemClass}. */
export function DropDown({
  trigger,
  align = 'start',
  children,
}: {
  trigger: ReactNode;
  align?: 'start' | 'end';
  children: ReactNode;
}) {
  return (
    <Menu.Root>
      {trigger}
      <MenuPopup align={align}>{children}</MenuPopup>
    </Menu.Root>
  );
}

/** How an entry of a menu looks. */
export const menuItemClass = styles.item;
