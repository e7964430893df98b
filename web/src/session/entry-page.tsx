import { KeyRound } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTitle } from '../ui/page';
import styles from './entry-page.module.css';

/** A page for somebody who is not logged in: one form in the middle. */
export function EntryPage({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  useTitle(title);
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <span className={styles.mark}>
          <KeyRound aria-hidden />
        </span>
        <h1>{title}</h1>
        {lead && <div className={styles.lead}>{lead}</div>}
        {children}
      </div>
    </main>
  );
}

/** What can be done on a page without a form. */
export function EntryActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}
