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

/** A value of an event: words for nothing, one line for each of a list, JSON for what is nested. */
export function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === '') return <Nothing />;
  if (Array.isArray(value)) {
    if (value.length === 0) return <Nothing />;
    return (
      <ul className={styles.values}>
        {value.map((one, index) => (
          <li key={index}>
            <ForeignText>{textOf(one)}</ForeignText>
          </li>
        ))}
      </ul>
    );
  }
  return <ForeignText>{textOf(value)}</ForeignText>;
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
