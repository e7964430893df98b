import { ForeignText } from '../ui/foreign-text';
import styles from './audit.module.css';

/** Fields that changed, each with what it was and what it is now. */
export function Changes({ changes }: { changes: Record<string, unknown> }) {
  return (
    <table className={styles.changes}>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(changes).map(([field, change]) => {
          const { before, after } = toChange(change);
          return (
            <tr key={field}>
              <th scope="row">
                <ForeignText>{field}</ForeignText>
              </th>
              <td>
                <Value value={before} />
              </td>
              <td>
                <Value value={after} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function toChange(change: unknown): { before: unknown; after: unknown } {
  return typeof change === 'object' && change !== null && 'before' in change && 'after' in change
    ? { before: change.before, after: change.after }
    : { before: null, after: change };
}

/** A value of an event: a word for nothing, a line for each of a list or of fields, JSON for what is nested in them. */
export function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === '') return <Nothing />;
  if (typeof value !== 'object') return <ForeignText>{textOf(value)}</ForeignText>;
  const lines = Array.isArray(value)
    ? value.map(textOf)
    : Object.entries(value).map(([name, one]) => `${name}: ${textOf(one)}`);
  if (lines.length === 0) return <Nothing />;
  return (
    <ul className={styles.values}>
      {lines.map((line, index) => (
        <li key={index}>
          <ForeignText>{line}</ForeignText>
        </li>
      ))}
    </ul>
  );
}

function Nothing() {
  return <span className={styles.none}>nothing</span>;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === true) return 'yes';
  if (value === false) return 'no';
  return JSON.stringify(value) ?? '';
}
