import { type ReactNode, useState } from 'react';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { Notice, ProblemNotice } from '../ui/notice';
import { Progress } from '../ui/progress';
import { SelectField } from '../ui/select';
import type { DownloadProgress } from './download';
import type { ExportFormat } from './row-counter';
import { type Download, useDownload } from './use-download';

const FORMATS = [
  { value: 'csv', label: 'CSV', note: 'For spreadsheets' },
  { value: 'ndjson', label: 'NDJSON', note: 'A JSON object in each line, for programs' },
];

/** Downloads a list as a file, and shows how far it is; closing the dialog cancels it. */
export function ExportDialog({
  title,
  description,
  row,
  fileName,
  open,
  onClose,
  children,
}: {
  title: string;
  description?: string;
  /** What a row is: `event`. */
  row: string;
  /** Without its end. */
  fileName: string;
  open: (format: ExportFormat, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  onClose: () => void;
  /** Further choices; told whether it is too late for them. */
  children?: (isRunning: boolean) => ReactNode;
}) {
  const [format, setFormat] = useState<ExportFormat>('csv');
  const download = useDownload({ fileName, format, open });
  const isRunning = download.state === 'running';
  return (
    <Dialog {...{ title, description, onClose }} open>
      <DialogBody>
        <SelectField
          name="format"
          label="Format"
          choices={FORMATS}
          value={format}
          onChange={(value) => setFormat(value as ExportFormat)}
          disabled={isRunning}
        />
        {children?.(isRunning)}
        <Outcome {...{ download, row }} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={isRunning ? download.cancel : onClose}>
          {isRunning ? 'Cancel' : 'Close'}
        </Button>
        <Button variant="primary" busy={isRunning} onClick={download.start}>
          Download
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function Outcome({ download, row }: { download: Download; row: string }) {
  const { state, progress, error } = download;
  switch (state) {
    case 'idle':
      return null;
    case 'running':
      return <Progress label="Downloading">{inWords(progress, row)}</Progress>;
    case 'cancelled':
      return <Notice>Cancelled. Nothing was saved.</Notice>;
    case 'failed':
      return <ProblemNotice error={error} />;
    case 'done':
      return (
        <Notice role="status" title="Saved">
          {inWords(progress, row)} Look in your downloads.
        </Notice>
      );
  }
}

function inWords({ rows, bytes }: DownloadProgress, row: string): string {
  return `${rows.toLocaleString('en')} ${row}${rows === 1 ? '' : 's'}, ${inBytes(bytes)}.`;
}

function inBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
