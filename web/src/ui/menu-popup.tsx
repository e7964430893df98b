import { Menu } from '@base-ui/react/menu';
import type { ReactNode } from 'react';
import styles from './menu.module.css';

/** What opens under the trigger of a menu. Apart, because what places it is heavy and first needed then. */
export function MenuPopup({ align, children }: { align: 'start' | 'end'; children: ReactNode }) {
  return (
    <Menu.Portal>
      <Menu.Positioner className={styles.positioner} align={align} sideOffset={4}>
        <Menu.Popup className={styles.popup}>{children}</Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  );
}
