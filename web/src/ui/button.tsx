import type { ComponentProps } from 'react';
import { Link, type LinkProps } from 'react-router';
import styles from './button.module.css';

type Variant = 'primary' | 'plain' | 'danger' | 'quiet';

/**
 * A button; `busy` shows that its work is going on and keeps it from being pressed twice. One that cannot be pressed keeps the focus
 * that it has: whoever works with the keyboard would start at the top of the page again.
 */
export function Button({
  variant = 'plain',
  busy = false,
  type = 'button',
  disabled = false,
  className = '',
  onClick,
  ...rest
}: ComponentProps<'button'> & { variant?: Variant; busy?: boolean }) {
  const isOff = disabled || busy;
  return (
    <button
      type={type}
      className={`${styles.button} ${styles[variant]} ${className}`}
      aria-busy={busy || undefined}
      aria-disabled={isOff || undefined}
      // Enter in a field presses the form's button, too: so this keeps the form from being sent twice.
      onClick={isOff ? (event) => event.preventDefault() : onClick}
      {...rest}
    />
  );
}

/** A link inside the panel that looks like a button. */
export function ButtonLink({ variant = 'plain', ...rest }: LinkProps & { variant?: Variant }) {
  return <Link className={`${styles.button} ${styles[variant]}`} {...rest} />;
}

/** A small square button with an icon alone: `label` is its name for everybody who does not see it. */
export function IconButton({ label, ...rest }: ComponentProps<'button'> & { label: string }) {
  return (
    <button type="button" aria-label={label} title={label} className={styles.icon} {...rest} />
  );
}
