import type { Choice } from '../ui/select';

const DAY_SECONDS = 86_400;
const LIFETIMES = [
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 180, label: '180 days' },
  { days: 365, label: '1 year' },
];

/** When a key is to expire: in so many days, never, or on a date of one's own. */
export interface Expiry {
  choice: string;
  /** As `datetime-local` has it; only for the choice `date`. */
  date: string;
}

/** A year: long enough to be rotated in peace, and not forever. */
export const DEFAULT_EXPIRY: Expiry = { choice: '365', date: '' };
/** The clock of this browser may be ahead of the server's, which counts the longest lifetime. */
const CLOCK_SECONDS = 60;

/** The time that the API wants; null for never. */
export function expiresAtOf({ choice, date }: Expiry, now = new Date()): string | null {
  if (choice === 'never') return null;
  if (choice === 'date') {
    const at = new Date(date);
    // An empty date is sent as it is, so that the server's word about it stands at the field.
    return Number.isNaN(at.getTime()) ? '' : at.toISOString();
  }
  const seconds = Number(choice) * DAY_SECONDS - CLOCK_SECONDS;
  return new Date(now.getTime() + seconds * 1000).toISOString();
}

/** The choices that the organization's longest lifetime leaves. */
export function expiryChoices(maxSeconds: number | null): Choice[] {
  const allowed = LIFETIMES.filter(
    ({ days }) => maxSeconds === null || days * DAY_SECONDS <= maxSeconds,
  );
  return [
    ...allowed.map(({ days, label }) => ({ value: String(days), label: `In ${label}` })),
    { value: 'date', label: 'On a date…' },
    ...(maxSeconds === null ? [{ value: 'never', label: 'Never' }] : []),
  ];
}

/** What was chosen, or else the longest choice that the organization's longest lifetime leaves. */
export function allowedExpiry(expiry: Expiry, maxSeconds: number | null): Expiry {
  const choices = expiryChoices(maxSeconds);
  if (choices.some(({ value }) => value === expiry.choice)) return expiry;
  const longest = choices.findLast(({ value }) => Number(value) > 0)?.value ?? 'date';
  return { ...expiry, choice: longest };
}
