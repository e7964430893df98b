import { type ReactNode, useEffect } from 'react';
import styles from './page.module.css';

/** The head of a page: title, a sentence, what can be done. It names the browser's tab, too. */
export function PageHeader({
  title,
  name,
  children,
  actions,
}: {
  title: ReactNode;
  /** For the tab, where the title is not plain text. */
  name?: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  useTitle(name ?? (typeof title === 'string' ? title : 'Settings'));
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        <h1>{title}</h1>
        {children && <div className={styles.lead}>{children}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}

/** Names the browser's tab, as long as what it names is there. */
export function useTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · Claviger`;
    return () => {
      document.title = before;
    };
  }, [title]);
}

/** A box on the page with a head of its own. */
export function Card({
  title,
  actions,
  children,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.card}>
      {(title || actions) && (
        <header className={styles.cardHeader}>
          {title && <h2>{title}</h2>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Where there is nothing yet: what belongs here, and how it begins. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      {icon && <div className={styles.emptyIcon}>{icon}</div>}
      <h2>{title}</h2>
      {children && <div className={styles.emptyText}>{children}</div>}
      {action}
    </div>
  );
}

/** Names and values below each other. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

/** One line of {@link Facts}. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Keeps a form on a page as narrow as its lines are read, its parts below each other. */
export function FormColumn({ children }: { children: ReactNode }) {
  return <div className={styles.formColumn}>{children}</div>;
}
