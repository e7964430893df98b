import { Problem } from '../http/problem.js';

/** How rows are written. */
export type ExportFormat = 'csv' | 'ndjson';
export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;

/** The media type of each format, without parameters. */
export const MEDIA_TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

interface MediaRange {
  type: string;
  quality: number;
}

/**
 * The format that `?format=` names, else the one that `Accept` prefers (RFC 9110 section 12.5.1), NDJSON when it does not
 * care. Errors: 406 `not_acceptable`.
 */
export function negotiate(accept: string | undefined, format?: ExportFormat): ExportFormat {
  if (format !== undefined) return format;
  const ranges = (accept ?? '*/*').split(',').map(rangeOf);
  const qualities = EXPORT_FORMATS.map((one) => qualityOf(MEDIA_TYPES[one], ranges));
  const best = Math.max(...qualities);
  const chosen = EXPORT_FORMATS[qualities.indexOf(best)];
  if (chosen === undefined || best === 0) {
    const detail = 'Exports are text/csv or application/x-ndjson.';
    throw new Problem(406, 'not_acceptable', detail);
  }
  return chosen;
}

function rangeOf(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((part) => /^q\s*=/.test(part))?.replace(/^q\s*=\s*/, '');
  // A weight that is none does not make a type unwanted.
  const weight = quality === undefined || !/^[01](\.\d{0,3})?$/.test(quality) ? 1 : Number(quality);
  return { type, quality: weight };
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: MediaRange[]): number {
  const family = type.replace(/\/.*/, '/*');
  for (const wanted of [type, family, '*/*']) {
    const range = ranges.find((one) => one.type === wanted);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
