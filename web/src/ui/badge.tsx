import type { ReactNode } from 'react';
import styles from './badge.module.css';
import { capitalized } from './capitalized';

type Tone = 'good' | 'warning' | 'danger' | 'neutral' | 'accent';

/** A word in colour; the word alone says it, the colour helps. */
export function Badge({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`${styles.badge} ${styles[tone]}`}>{children}</span>;
}

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  success: 'good',
  pending: 'warning',
  invited: 'warning',
  expiring: 'warning',
  denied: 'warning',
  disabled: 'neutral',
  expired: 'neutral',
  suspended: 'danger',
  revoked: 'danger',
  error: 'danger',
};

/** A status of the API as a badge. */
export function StatusBadge({ status }: { status: string }) {
  return <Badge tone={STATUS_TONES[status] ?? 'neutral'}>{capitalized(status)}</Badge>;
}
