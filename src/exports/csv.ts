import { stringify } from 'csv-stringify/sync';

/**
 * Lines of CSV (RFC 4180: CRLF, quotes doubled) that a spreadsheet takes for text: a cell that begins with `=`, `+`, `-`,
 * `@`, tab or carriage return, where a formula could begin, gets a `'` before it. Null is an empty cell, lists and objects
 * are JSON.
 */
export function csvLines(rows: readonly (readonly unknown[])[]): string {
  return stringify(
    rows.map((cells) => cells.map(textOf)),
    {
      escape_formulas: true,
      record_delimiter: '\r\n',
      // A lone CR or LF is no delimiter here, but it is one for many a reader.
      quoted_match: /[\r\n]/,
    },
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
