import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import { useEffect } from 'react';
import { listening, manager } from './toast';
import styles from './toast.module.css';

/** Shows what `toast` says. */
export function Toasts() {
  useEffect(() => listening(), []);
  return (
    <Toast.Provider toastManager={manager}>
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport}>
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((one) => (
    <Toast.Root key={one.id} toast={one} className={styles.toast}>
      <Toast.Title className={styles.title} />
      <Toast.Close className={styles.close} aria-label="Dismiss">
        <X aria-hidden />
      </Toast.Close>
    </Toast.Root>
  ));
}
