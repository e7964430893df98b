import { ProblemError } from '@claviger/sdk';
import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { fieldErrors, isUnproved } from '../api/client';
import { Button } from './button';
import { capitalized } from './capitalized';
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

/** Titles of refusals whose code is no plain word. */
const TITLES: Readonly<Record<string, string>> = {
  insufficient_scope: 'You may not do this',
  grant_exceeds_permissions: 'This needs more than you may do',
  too_many_login_attempts: 'Too many passwords were tried',
};

/** What to do about refusals that say it less plainly themselves. */
const ADVICE: Readonly<Record<string, string>> = {
  precondition_failed: 'Somebody has changed it meanwhile. Reload, and try again.',
  grant_exceeds_permissions: 'Ask somebody who has these permissions to do it.',
  role_in_use: 'Give them another role first.',
  last_owner: 'Make somebody else an owner first.',
  cookie_needs_https: 'Tell whoever runs this server.',
  cross_site_request: 'Tell whoever runs this server.',
  too_many_login_attempts: 'If you have forgotten it, set a new one by mail.',
  audit_unavailable: 'It may have been done. Look before you try again.',
};

/** A reading that can be tried again. */
interface Retry {
  refetch: () => unknown;
  isFetching?: boolean;
}

/**
 * A refusal of the server, or what kept the answer from coming: title, what to do, and the id to ask about. With `retry` it
 * offers to read again, where that can help; nothing is tried again without being asked.
 */
export function ProblemNotice({ error, retry }: { error: unknown; retry?: Retry }) {
  if (error === undefined || error === null || isUnproved(error)) return null;
  if (!(error instanceof ProblemError)) {
    return (
      <Notice tone="danger" role="alert" title="The server could not be reached">
        <p>Check your connection, and try again.</p>
        <RetryButton retry={retry} />
      </Notice>
    );
  }
  const { problem, code, message, requestId, status } = error;
  const fields = fieldsOf(error);
  return (
    <Notice
      tone="danger"
      role="alert"
      title={
        fields.length > 0
          ? 'Something has to be corrected'
          : (TITLES[code] ?? problem?.title ?? 'The request failed')
      }
    >
      <p>{fields.length > 0 ? inWords(fields) : message}</p>
      {adviceFor(code, status) && <p>{adviceFor(code, status)}</p>}
      {status === 429 && <WaitEnd key={requestId} seconds={secondsToWait(error)} />}
      {requestId && (
        <p className={styles.request}>
          Request <code>{requestId}</code>
        </p>
      )}
      {(status >= 500 || status === 429) && <RetryButton retry={retry} />}
    </Notice>
  );
}

const CLOCK = new Intl.DateTimeFormat('en', { timeStyle: 'medium' });

/** When a wait is over that began when this was first shown. */
function WaitEnd({ seconds }: { seconds: number }) {
  const [end] = useState(() => new Date(Date.now() + seconds * 1_000));
  return seconds > 0 && <p>The wait is over at {CLOCK.format(end)}.</p>;
}

/** 0 where the answer does not say. */
function secondsToWait({ headers }: ProblemError): number {
  const seconds = Number(headers.get('Retry-After'));
  return Number.isFinite(seconds) ? seconds : 0;
}

function RetryButton({ retry }: { retry: Retry | undefined }) {
  if (!retry) return null;
  return (
    <Button className={styles.retry} busy={retry.isFetching} onClick={() => void retry.refetch()}>
      Try again
    </Button>
  );
}

/** Fields whose labels are not what the API calls them. */
const LABELS: Readonly<Record<string, string>> = {
  email: 'E-mail',
  ownerId: 'Owner',
  expiresAt: 'Key expires',
  allowedCidrs: 'Allowed networks',
  documentationUrl: 'Documentation',
  overlapSeconds: 'The old key works on for',
  maxKeysPerServiceAccount: 'Keys per service account',
  maxKeyLifetimeSeconds: 'Longest life of a key',
};

/** The labels of the fields that a refusal is about: `currentPassword` reads "Current password". */
function fieldsOf(error: ProblemError): string[] {
  const labels = Object.keys(fieldErrors(error)).flatMap((name) => {
    const last = name.split('/').at(-1) ?? '';
    const words = last.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return last === '' ? [] : [LABELS[last] ?? capitalized(words)];
  });
  return [...new Set(labels)];
}

function inWords(fields: readonly string[]): string {
  return fields.length === 1
    ? `Check the field “${fields[0]}”.`
    : `Check the fields ${fields.map((field) => `“${field}”`).join(', ')}.`;
}

function adviceFor(code: string, status: number): string | undefined {
  if (ADVICE[code]) return ADVICE[code];
  if (status === 401) return 'Log in again, then do this once more.';
  if (status === 429 || status === 503) return 'Wait a moment, and try again.';
  if (status === 403) return 'Ask an administrator of the organization for the permission.';
  if (status >= 500) return 'Try again. If it stays, tell your administrator the id below.';
  return undefined;
}
