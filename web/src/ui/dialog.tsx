import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Button } from './button';
import styles from './dialog.module.css';
import { ProblemNotice } from './notice';

interface DialogProps {
  open: boolean;
  /** Asked to close: by Escape, a click beside it, or the cross. */
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  /** Whether it may stand above a dialog that it is no part of. */
  isAbove?: boolean;
  children: ReactNode;
}

/** A dialog in the middle of the page. */
export function Dialog({ wide, ...props }: DialogProps & { wide?: boolean }) {
  return <Popup {...props} className={`${styles.dialog} ${wide ? styles.wide : ''}`} />;
}

/** A panel at the side, for forms that are longer than a question. */
export function SidePanel(props: DialogProps) {
  return <Popup {...props} className={styles.panel} />;
}

const FIELD = 'input:not([type=hidden]), textarea, [role=combobox]';

/** Where a form begins. */
export function firstFieldIn(element: HTMLElement | null): HTMLElement | null {
  return element?.querySelector<HTMLElement>(FIELD) ?? null;
}

/** Keeps Escape from the dialogs below: they would close with this one, and their drafts with them. */
function useEscape(isOwn: boolean, onClose: () => void): void {
  useEffect(() => {
    if (!isOwn) return undefined;
    const close = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing) return;
      event.stopImmediatePropagation();
      onClose();
    };
    window.addEventListener('keydown', close, { capture: true });
    return () => window.removeEventListener('keydown', close, { capture: true });
  }, [isOwn, onClose]);
}

function Popup({
  open,
  onClose,
  title,
  description,
  isAbove = false,
  children,
  className,
}: DialogProps & { className: string | undefined }) {
  const popup = useRef<HTMLDivElement>(null);
  useEscape(isAbove && open, onClose);
  return (
    <Base.Root open={open} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup
          ref={popup}
          className={className}
          // A form begins with its first field, not with the cross; but a finger has not asked for a keyboard.
          initialFocus={(by) => (by === 'touch' ? null : firstFieldIn(popup.current)) ?? true}
        >
          <header className={styles.header}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            <Base.Close className={styles.close} aria-label="Close">
              <X aria-hidden />
            </Base.Close>
          </header>
          {description && (
            <Base.Description className={styles.description}>{description}</Base.Description>
          )}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** The scrolling part of a dialog. */
export function DialogBody({ children }: { children: ReactNode }) {
  return <div className={styles.body}>{children}</div>;
}

/** The buttons of a dialog, the one that goes on last. */
export function DialogFooter({ children }: { children: ReactNode }) {
  return <footer className={styles.footer}>{children}</footer>;
}

interface ConfirmDialogProps {
  open: boolean;
  title: ReactNode;
  children?: ReactNode;
  /** What the button says that does it. */
  confirm: string;
  cancel?: string;
  danger?: boolean;
  busy?: boolean;
  disabled?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onCancel: () => void;
}

/** A question that must be answered before anything else: a click beside it does not close it. */
export function ConfirmDialog({
  open,
  title,
  children,
  confirm,
  cancel = 'Cancel',
  danger = false,
  busy = false,
  disabled = false,
  error,
  onConfirm,
  onCancel,
}: ConfirmDialogProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(isOpen) => !isOpen && onCancel()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        <AlertDialog.Popup className={styles.dialog}>
          <header className={styles.header}>
            <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
          </header>
          <AlertDialog.Description className={styles.body} render={<div />}>
            {children}
            <ProblemNotice error={error} />
          </AlertDialog.Description>
          <DialogFooter>
            <Button onClick={onCancel}>{cancel}</Button>
            <Button
              variant={danger ? 'danger' : 'primary'}
              busy={busy}
              disabled={disabled}
              onClick={onConfirm}
            >
              {confirm}
            </Button>
          </DialogFooter>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
