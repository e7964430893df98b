import { describe, expect, it } from '@jest/globals';
import { type ExportFormat, rowCounter } from './row-counter';

/** What the counter says last of a text that comes in pieces of so many bytes. */
function count(format: ExportFormat, text: string, size = 1_000): number {
  const bytes = new TextEncoder().encode(text);
  const counted = rowCounter(format);
  let rows = 0;
  for (let at = 0; at < bytes.length; at += size) rows = counted(bytes.subarray(at, at + size));
  return rows;
}

describe('rowCounter', () => {
  it('counts the lines of NDJSON, whatever stands in them', () => {
    expect(count('ndjson', '')).toBe(0);
    expect(count('ndjson', '{"name":"a \\"quoted\\" one"}\n{}\n')).toBe(2);
  });

  it('counts the rows of CSV without its head', () => {
    expect(count('csv', 'email,name\n')).toBe(0);
    expect(count('csv', 'email,name\na@example.com,Ada\n')).toBe(1);
  });

  it('takes a line break inside of quotes for a part of the row, however the file is cut', () => {
    const csv = 'email,name\n"a","Ada\nLovelace ""the first"""\n"b","Bob"\n';
    for (const size of [1, 2, 3, 7, 1_000]) expect(count('csv', csv, size)).toBe(2);
  });
});
