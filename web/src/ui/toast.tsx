import { Toast } from '@base-ui/react/toast';

/** What {@link toast} speaks to, and `Toasts` listens to. */
export const manager: ReturnType<typeof Toast.createToastManager> = Toast.createToastManager();

/** To be called once somebody listens: what was said to nobody would be lost. */
export let listening: () => void;
const listened = new Promise<void>((resolve) => (listening = resolve));

/** Says in passing that something was done. Errors stand where they happened instead. */
export function toast(title: string): void {
  void listened.then(() => manager.add({ title, timeout: 5_000 }));
}
