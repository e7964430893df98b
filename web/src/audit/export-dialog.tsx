import { useEffect, useRef, useState } from 'react';
import { saveFile } from '../api/save-file';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { SelectBox } from '../ui/select';
import { Notice, ProblemNotice } from '../ui/notice';
import type { Chain, ExportFormat } from './chain';
import { download, type DownloadProgress } from './download';
import type { AuditFilters } from './filters';

const FORMATS = [
  { value: 'csv', label: 'CSV', note: 'For spreadsheets' },
  {
    value: 'ndjson',
    label: 'NDJSON',
    note: 'One JSON object a line, with everything, for programs',
  },
];

/** Downloads what the filters let through, up to the trail's end of now, and shows how far it is. */
export function ExportDialog({
  chain,
  filters,
  onClose,
}: {
  chain: Chain;
  filters: AuditFilters;
  onClose: () => void;
}) {
  const [format, setFormat] = useState<ExportFormat>('csv');
  const { start, cancel, progress, state, error } = useDownload(chain, filters, format);
  const isRunning = state === 'running';
  const count = Object.keys(filters).length;
  return (
    <Dialog
      open
      onClose={onClose}
      title="Export the trail"
      description={
        count === 0
          ? 'All events up to now, newest first.'
          : 'The events that the filters of this page let through, newest first.'
      }
    >
      <DialogBody>
        <SelectBox
          label="Format"
          wide
          choices={FORMATS}
          value={format}
          onChange={(value) => setFormat(value as ExportFormat)}
          disabled={isRunning}
        />
        {state === 'failed' && <ProblemNotice error={error} />}
        {state === 'cancelled' && <Notice>Cancelled. Nothing was saved.</Notice>}
        {state === 'done' && (
          <Notice role="status" title="Saved">
            {inWords(progress)} Look in your downloads.
          </Notice>
        )}
        {isRunning && <p>Reading… {inWords(progress)} Closing this dialog cancels it.</p>}
      </DialogBody>
      <DialogFooter>
        {isRunning ? (
          <Button onClick={cancel}>Cancel</Button>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )}
        <Button variant="primary" busy={isRunning} onClick={() => void start()}>
          Download
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function useDownload(chain: Chain, filters: AuditFilters, format: ExportFormat) {
  const [state, setState] = useState<'idle' | 'running' | 'done' | 'cancelled' | 'failed'>('idle');
  const [progress, setProgress] = useState<DownloadProgress>({ rows: 0, bytes: 0 });
  const [error, setError] = useState<unknown>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async () => {
    const { signal } = (running.current = new AbortController());
    setState('running');
    setProgress({ rows: 0, bytes: 0 });
    try {
      const stream = await chain.download({ ...filters, format }, signal);
      const blob = await download(stream, format, setProgress, signal);
      const day = new Date().toISOString().slice(0, 10);
      saveFile(`audit-trail-${chain.fileName}-${day}.${format}`, blob);
      setState('done');
    } catch (failure) {
      setError(failure);
      setState(signal.aborted ? 'cancelled' : 'failed');
    }
  };
  return { start, cancel: () => running.current?.abort(), progress, state, error };
}

function inWords({ rows, bytes }: DownloadProgress): string {
  return `${rows.toLocaleString('en')} ${rows === 1 ? 'event' : 'events'}, ${inBytes(bytes)}.`;
}

function inBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
