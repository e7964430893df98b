import { X } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import type { AuditEvent } from '@claviger/sdk';
import { Button } from '../ui/button';
import { SelectBox } from '../ui/select';
import { ForeignText } from '../ui/foreign-text';
import { Toolbar } from '../ui/table';
import { actionChoices } from './actions';
import styles from './audit.module.css';
import { type AuditFilters, ID_FILTERS, type IdFilter, nameOf, NO_FILTERS } from './filters';

const OUTCOMES = [
  { value: '', label: 'All outcomes' },
  { value: 'success', label: 'Success' },
  { value: 'denied', label: 'Denied' },
  { value: 'error', label: 'Error' },
];

const FIND_BY = [
  { value: 'requestId', label: 'Request id' },
  { value: 'actor', label: 'Done by (id)' },
  { value: 'target', label: 'Done to (id)' },
  { value: 'key', label: 'Key id' },
];

const TYPING_MS = 500;

interface FilterProps {
  filters: AuditFilters;
  onChange: (change: Partial<AuditFilters>) => void;
}

/** What the trail is filtered by. `events` tell the names of ids. */
export function FilterBar({
  filters,
  onChange,
  events,
}: FilterProps & { events: readonly AuditEvent[] }) {
  return (
    <>
      <Toolbar>
        <SelectBox
          label="Action"
          choices={actionChoices(filters.action)}
          value={filters.action ?? ''}
          onChange={(action) => onChange({ action })}
        />
        <SelectBox
          label="Outcome"
          choices={OUTCOMES}
          value={filters.outcome ?? ''}
          onChange={(outcome) => onChange({ outcome: outcome as AuditFilters['outcome'] })}
        />
        <TimeBox label="From" value={filters.from} onChange={(from) => onChange({ from })} />
        <TimeBox label="To" value={filters.to} onChange={(to) => onChange({ to })} />
        <FindById onChange={onChange} />
      </Toolbar>
      <Chips {...{ filters, onChange, events }} />
    </>
  );
}

/** A time in the reader's zone; taken over when the typing has stopped. `value` is ISO 8601. */
function TimeBox({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const [draft, setDraft] = useState<string>();
  useEffect(() => {
    if (draft === undefined) return;
    const at = new Date(draft);
    // Half a year's number (`0020`) is not what is meant.
    const isComplete = draft === '' || at.getFullYear() >= 1970;
    if (!isComplete) return;
    const timer = setTimeout(() => {
      setDraft(undefined);
      onChange(draft === '' ? undefined : at.toISOString());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  });
  return (
    <label className={styles.time}>
      {label}
      <input
        type="datetime-local"
        className={styles.input}
        min="2000-01-01T00:00"
        max="9999-12-31T23:59"
        value={draft ?? toLocal(value)}
        onChange={({ target }) => setDraft(target.value)}
      />
    </label>
  );
}

/** The reader's time as the browser's input wants it: `2026-11-25T13:00`. */
function toLocal(iso: string | undefined): string {
  const at = new Date(iso ?? '');
  if (Number.isNaN(at.getTime())) return '';
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

function FindById({ onChange }: Pick<FilterProps, 'onChange'>) {
  const [by, setBy] = useState<IdFilter>('requestId');
  const [id, setId] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (id.trim() === '') return;
    onChange({ [by]: id.trim() });
    setId('');
  };
  return (
    <form className={styles.find} onSubmit={submit} role="search">
      <SelectBox
        label="Find by"
        choices={FIND_BY}
        value={by}
        onChange={(value) => setBy(value as IdFilter)}
      />
      <input
        className={styles.input}
        aria-label="Id"
        placeholder="Id"
        maxLength={64}
        autoComplete="off"
        spellCheck={false}
        value={id}
        onChange={({ target }) => setId(target.value)}
      />
      <Button type="submit">Find</Button>
    </form>
  );
}

function Chips({ filters, onChange, events }: FilterProps & { events: readonly AuditEvent[] }) {
  if (Object.keys(filters).length === 0) return null;
  const names = Object.keys(ID_FILTERS) as IdFilter[];
  return (
    <ul className={styles.chips} aria-label="Filters">
      {names.map((name) => {
        const id = filters[name];
        if (id === undefined) return null;
        return (
          <li key={name} className={styles.chip}>
            <span>
              {ID_FILTERS[name]}: <ForeignText>{nameOf(name, id, events) ?? id}</ForeignText>
            </span>
            <button
              type="button"
              aria-label={`Remove the filter ${ID_FILTERS[name]}`}
              onClick={() => onChange({ [name]: undefined })}
            >
              <X aria-hidden />
            </button>
          </li>
        );
      })}
      <li>
        <Button variant="quiet" onClick={() => onChange(NO_FILTERS)}>
          Clear all filters
        </Button>
      </li>
    </ul>
  );
}
