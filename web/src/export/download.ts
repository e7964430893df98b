import { type ExportFormat, rowCounter } from './row-counter';

/** How far a download is. */
export interface DownloadProgress {
  rows: number;
  bytes: number;
}

const REPORT_MS = 200;

/**
 * All of a stream as a file. `report` hears a few times a second how far it is. Throws what the stream throws, so half a
 * download is never taken for a whole one, and when `signal` says to stop.
 */
export async function download(
  stream: ReadableStream<Uint8Array>,
  format: ExportFormat,
  report: (progress: DownloadProgress) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const countRows = rowCounter(format);
  let progress: DownloadProgress = { rows: 0, bytes: 0 };
  let reportedAt = 0;
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      chunks.push(new Uint8Array(value));
      progress = { rows: countRows(value), bytes: progress.bytes + value.length };
      if (performance.now() - reportedAt < REPORT_MS) continue;
      reportedAt = performance.now();
      report(progress);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  report(progress);
  return new Blob(chunks, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' });
}
