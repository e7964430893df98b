import { Toast } from '@base-ui/react/toast';

/** What {@link toast} speaks to, and `Toasts` listens to. */
export const manager: ReturnType<typeof Toast.createToastManager> = Toast.createToastManager();

/** Says in passing that something was done. Errors stand where they happened instead. */
export function toast(title: string): void {
  manager.add({ title, timeout: 5_000 });
}
