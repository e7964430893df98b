import type { ReactNode } from 'react';
import styles from './progress.module.css';

/** How far a long work is; without `value`, only that it goes on. What it says is read out now and then. */
export function Progress({
  label,
  value,
  max,
  children,
}: {
  label: string;
  value?: number;
  max?: number;
  /** The same in words. */
  children: ReactNode;
}) {
  return (
    <div className={styles.progress}>
      <progress aria-label={label} value={value} max={max} />
      <p role="status">{children}</p>
    </div>
  );
}
