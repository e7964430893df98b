/** How an export is written. */
export type ExportFormat = 'csv' | 'ndjson';

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** Counts rows over the chunks it is given: lines, in CSV without the first and those inside of quotes. */
export function rowCounter(format: ExportFormat): (chunk: Uint8Array) => number {
  const isCsv = format === 'csv';
  let lines = 0;
  let isQuoted = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (isCsv && byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === NEWLINE && !isQuoted) lines += 1;
    }
    return isCsv ? Math.max(0, lines - 1) : lines;
  };
}
