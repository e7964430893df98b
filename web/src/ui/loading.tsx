import styles from './loading.module.css';

/** Something is on its way. */
export function Loading() {
  return (
    <div className={styles.loading} role="status" aria-busy="true">
      <span className={styles.spinner} aria-hidden />
      <span className="visually-hidden">Loading…</span>
    </div>
  );
}
