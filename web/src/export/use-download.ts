import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { saveFile } from '../api/save-file';
import { download, type DownloadProgress } from './download';
import type { ExportFormat } from './row-counter';

/** A download, and how far it is. */
export interface Download {
  state: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  progress: DownloadProgress;
  error: unknown;
  start: () => void;
  cancel: () => void;
}

const NOTHING: DownloadProgress = { rows: 0, bytes: 0 };

/** Downloads what `open` answers; leaving the page ends it. */
export function useDownload({
  fileName,
  format,
  open,
}: {
  fileName: string;
  format: ExportFormat;
  open: (format: ExportFormat, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
}): Download {
  const [progress, setProgress] = useState(NOTHING);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const work = useMutation({
    mutationFn: async (signal: AbortSignal) => {
      setProgress(NOTHING);
      const blob = await download(await open(format, signal), format, setProgress, signal);
      saveFile(`${fileName}.${format}`, blob);
    },
  });
  const states = { idle: 'idle', pending: 'running', success: 'done' } as const;
  return {
    state:
      work.status === 'error'
        ? work.variables.aborted
          ? 'cancelled'
          : 'failed'
        : states[work.status],
    progress,
    error: work.error,
    start: () => {
      running.current = new AbortController();
      work.mutate(running.current.signal);
    },
    cancel: () => running.current?.abort(),
  };
}
