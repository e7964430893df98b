import { ProblemError } from '@claviger/sdk';
import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import styles from './notice.module.css';

const ICONS = { info: Info, warning: TriangleAlert, danger: CircleAlert } as const;

/** A sentence that stands out. */
export function Notice({
  tone = 'info',
  title,
  children,
  role,
}: {
  tone?: keyof typeof ICONS;
  title?: ReactNode;
  children?: ReactNode;
  role?: 'alert' | 'status';
}) {
  const Icon = ICONS[tone];
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={role}>
      <Icon aria-hidden />
      <div className={styles.text}>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

/** What to do about refusals that say it less plainly themselves. */
const ADVICE: Readonly<Record<string, string>> = {
  precondition_failed: 'Somebody has changed it meanwhile. Reload, and try again.',
  grant_exceeds_permissions: 'Ask somebody who has these permissions to do it.',
  role_in_use: 'Give them another role first.',
  last_owner: 'Make somebody else an owner first.',
  audit_unavailable: 'It may have been done. Look before you try again.',
};

/** A refusal of the server, or what kept the answer from coming: title, what to do, and the id to ask about. */
export function ProblemNotice({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  if (!(error instanceof ProblemError)) {
    return (
      <Notice tone="danger" role="alert" title="The server could not be reached">
        Check your connection, and try again.
      </Notice>
    );
  }
  const { problem, code, message, requestId, status } = error;
  return (
    <Notice tone="danger" role="alert" title={problem?.title ?? 'The request failed'}>
      <p>{message}</p>
      {adviceFor(code, status) && <p>{adviceFor(code, status)}</p>}
      {requestId && (
        <p className={styles.request}>
          Request <code>{requestId}</code>
        </p>
      )}
    </Notice>
  );
}

function adviceFor(code: string, status: number): string | undefined {
  if (ADVICE[code]) return ADVICE[code];
  if (status === 401) return 'Log in again, then do this once more.';
  if (status === 429 || status === 503) return 'Wait a moment, and try again.';
  if (status === 403) return 'Ask an administrator of the organization for the permission.';
  if (status >= 500) return 'Try again. If it stays, tell your administrator the id below.';
  return undefined;
}
