import { saveFile } from '../api/save-file';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import styles from './import-dialog.module.css';
import type { ImportedRow } from './import-users';
import type { ImportProgress } from './use-import';

/** More rows would make the page slow; the file has all of them. */
const MOST_SHOWN = 200;

/** What became of an import: how many rows are what, and why rows failed. */
export function ImportResult({
  progress,
  isStopped,
}: {
  progress: ImportProgress;
  isStopped: boolean;
}) {
  return (
    <>
      <Outcome {...{ progress, isStopped }} />
      {progress.failed.length > 0 && (
        <FailedRows rows={progress.failed} isTrial={progress.validateOnly} />
      )}
    </>
  );
}

function Outcome({
  progress: { summary, validateOnly, rows },
  isStopped,
}: {
  progress: ImportProgress;
  isStopped: boolean;
}) {
  if (!summary?.complete) {
    return (
      <Notice tone="warning" role="alert" title={isStopped ? 'Stopped' : 'It ended early'}>
        {count(rows, 'row')} {validateOnly ? 'checked' : 'worked through; what is done stays'}.{' '}
        {!validateOnly && 'Import the same file again to go on: rows that are done change nothing.'}
        {summary?.reason && (
          <>
            {' '}
            Reason: <code>{summary.reason}</code>
          </>
        )}
      </Notice>
    );
  }
  const { created, updated, unchanged, failed } = summary.totals;
  const isClean = failed === 0;
  const title = validateOnly
    ? isClean
      ? 'The file can be imported'
      : `${count(failed, 'row')} would fail`
    : isClean
      ? 'All rows are imported'
      : `Imported, but ${count(failed, 'row')} failed`;
  return (
    <Notice tone={isClean ? 'info' : 'warning'} role="status" title={title}>
      {count(created, validateOnly ? 'new user' : 'user')}
      {validateOnly ? '' : ' created'}, {updated.toLocaleString('en')}{' '}
      {validateOnly ? 'to change' : 'changed'}, {unchanged.toLocaleString('en')} unchanged,{' '}
      {failed.toLocaleString('en')} {validateOnly ? 'refused' : 'failed'}.
      {validateOnly && ' Nothing has been changed yet.'}
    </Notice>
  );
}

function FailedRows({ rows, isTrial }: { rows: readonly ImportedRow[]; isTrial: boolean }) {
  const title = isTrial ? 'Rows that would fail' : 'Rows that failed';
  const hidden = rows.length - MOST_SHOWN;
  return (
    <>
      <div className={styles.failed} tabIndex={0} role="region" aria-label={title}>
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">E-mail</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_SHOWN).map((row) => (
              <tr key={row.line}>
                <td>{row.line}</td>
                <td>{row.email ?? '–'}</td>
                <td>{reasonsOf(row)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hidden > 0 && <p className={styles.note}>And {count(hidden, 'row')} more, in the file.</p>}
      <div>
        <Button onClick={() => saveRows(rows)}>Download the failed rows</Button>
      </div>
    </>
  );
}

function reasonsOf({ errors }: ImportedRow): string {
  return errors
    .map(({ pointer, detail }) => (pointer ? `${pointer.replace(/^\//, '')}: ${detail}` : detail))
    .join(' ');
}

function saveRows(rows: readonly ImportedRow[]): void {
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  saveFile('failed-rows.ndjson', new Blob(lines, { type: 'application/x-ndjson' }));
}

function count(number: number, word: string): string {
  return `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;
}
