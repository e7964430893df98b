import { useState } from 'react';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { Notice, ProblemNotice } from '../ui/notice';
import { Progress } from '../ui/progress';
import styles from './import-dialog.module.css';
import { ImportResult } from './import-result';
import { type Import, useImport } from './use-import';

/** Makes and changes many users from a file; can be tried before. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const job = useImport();
  const { progress, work, isStopped } = job;
  return (
    <Dialog
      open
      wide
      // While it runs, only “Stop” ends it.
      onClose={() => work.isPending || onClose()}
      title="Import users"
    >
      <DialogBody>
        <Explanation />
        <FileField
          disabled={work.isPending}
          onChoose={(chosen) => {
            job.reset();
            setFile(chosen);
          }}
        />
        {!isStopped && <ProblemNotice error={work.error} />}
        {work.isPending && <Running job={job} />}
        {!work.isPending && progress && <ImportResult progress={progress} isStopped={isStopped} />}
        {!work.isPending && !progress && isStopped && <Notice title="Stopped" />}
      </DialogBody>
      <Buttons job={job} file={file} onClose={onClose} />
    </Dialog>
  );
}

function Explanation() {
  return (
    <div>
      <p>
        A CSV file with the columns <code>email</code>, <code>name</code>, <code>role</code> (the
        key of a role), and any <code>attributes.…</code>; or NDJSON with the same properties.
        UTF-8, at most 64 MiB.
      </p>
      <pre className={styles.example} aria-label="Example of a file">
        {'email,name,role,attributes.department\nada@example.com,Ada Lovelace,viewer,Finance\n'}
      </pre>
      <p className={styles.note}>
        New e-mails become users who are active at once, without a mail. For users that there are,
        the role changes, and their attributes where the file has some. A row that fails does not
        undo others, and importing the same file again changes nothing more.
      </p>
    </div>
  );
}

function FileField({
  onChoose,
  disabled,
}: {
  onChoose: (file: File | undefined) => void;
  disabled: boolean;
}) {
  return (
    <label className={styles.file}>
      <span>File</span>
      <input
        type="file"
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        disabled={disabled}
        onChange={({ target }) => onChoose(target.files?.[0])}
      />
    </label>
  );
}

function Running({ job: { progress, work } }: { job: Import }) {
  const verb = work.variables?.validateOnly ? 'Checking' : 'Importing';
  return (
    <Progress label={`${verb} users`} value={progress?.line} max={progress?.lines}>
      {progress
        ? `${progress.rows.toLocaleString('en')} rows, ${progress.failed.length.toLocaleString('en')} failed`
        : 'Sending the file…'}
    </Progress>
  );
}

function Buttons({
  job: { work, stop, progress },
  file,
  onClose,
}: {
  job: Import;
  file: File | undefined;
  onClose: () => void;
}) {
  if (work.isPending) {
    return (
      <DialogFooter>
        <Button onClick={stop}>Stop</Button>
      </DialogFooter>
    );
  }
  const isImported = progress?.summary?.complete && !progress.validateOnly;
  const start = (validateOnly: boolean) => file && work.mutate({ file, validateOnly });
  return (
    <DialogFooter>
      <Button onClick={onClose}>{isImported ? 'Done' : 'Cancel'}</Button>
      {!isImported && (
        <>
          <Button disabled={!file} onClick={() => start(true)}>
            Check only
          </Button>
          <Button variant="primary" disabled={!file} onClick={() => start(false)}>
            Import
          </Button>
        </>
      )}
    </DialogFooter>
  );
}
