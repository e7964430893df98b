import { useState } from 'react';
import { useSettings } from '../organization/use-settings';
import { useCan } from '../session/session';
import { TextField } from '../ui/field';
import { type Choice, SelectField } from '../ui/select';

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
const DEFAULT_EXPIRY: Expiry = { choice: '365', date: '' };
/** The clock of this browser may be ahead of the server's, which counts the longest lifetime. */
const CLOCK_SECONDS = 60;

/** What was chosen; until something is, a year or the longest choice that the organization leaves. */
export function useExpiry(): [Expiry, (expiry: Expiry) => void] {
  const [expiry, setExpiry] = useState(DEFAULT_EXPIRY);
  const choices = expiryChoices(useMaxKeyLifetime());
  if (choices.some(({ value }) => value === expiry.choice)) return [expiry, setExpiry];
  const longest = choices.findLast(({ value }) => Number(value) > 0)?.value ?? 'date';
  return [{ ...expiry, choice: longest }, setExpiry];
}

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

/** Chooses when a key expires, within what the organization allows. */
export function ExpiryField({
  name,
  value,
  onChange,
}: {
  name: string;
  value: Expiry;
  onChange: (expiry: Expiry) => void;
}) {
  const choices = expiryChoices(useMaxKeyLifetime());
  const { choice } = value;
  return (
    <>
      <SelectField
        name={choice === 'date' ? `${name}-choice` : name}
        label="Key expires"
        hint={
          choice === 'never'
            ? 'A key that never expires is good until somebody revokes it.'
            : 'Rotate the key before then: the old and the new one work side by side for a while.'
        }
        choices={choices}
        value={choice}
        onChange={(chosen) => onChange({ ...value, choice: chosen })}
      />
      {choice === 'date' && (
        <TextField
          name={name}
          label="Expires on"
          type="datetime-local"
          required
          value={value.date}
          onValueChange={(date) => onChange({ choice: 'date', date })}
        />
      )}
    </>
  );
}

/** The longest a key may live in this organization, in seconds; null: no bound, or none that the person may see. */
function useMaxKeyLifetime(): number | null {
  return (
    useSettings({ enabled: useCan()('organization:read') }).data?.settings.maxKeyLifetimeSeconds ??
    null
  );
}
