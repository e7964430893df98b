import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLines } from './csv.js';

const DANGEROUS = /^[=+\-@\t\r]/;

/** Texts with more than their share of what CSV and spreadsheets stumble over. */
const cell = fc
  .array(fc.oneof(fc.constantFrom(...'=+-@\t\r\n",;\'|', '\r\n'), fc.string({ unit: 'binary' })))
  .map((parts) => parts.join(''));

const read = (text: string): string[][] =>
  parse(text, { record_delimiter: '\r\n', relax_column_count: true });

describe('csvLines', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['a=1', 'a=1'],
    [null, ''],
    [undefined, ''],
    [0, '0'],
    [true, 'true'],
  ])('shows %j as %j', (value, shown) => {
    expect(csvLines([[value, 'end']])).toBe(`${shown},end\r\n`);
  });

  it('shows lists and objects as JSON', () => {
    expect(csvLines([[['a', 1], { b: '"' }]])).toBe('"[""a"",1]","{""b"":""\\""""}"\r\n');
  });

  it('quotes what would end a line elsewhere', () => {
    expect(csvLines([['a\nb', 'c\rd']])).toBe('"a\nb","c\rd"\r\n');
    expect(csvLines([['\rx', 'end']])).toBe('"\'\rx",end\r\n');
  });

  it('never lets a cell begin as a formula, and loses nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 })), (rows) => {
        const back = read(csvLines(rows));
        expect(back.flat().filter((text) => DANGEROUS.test(text))).toEqual([]);
        expect(back.map((cells) => cells.length)).toEqual(rows.map((cells) => cells.length));
        back.forEach((cells, row) =>
          cells.forEach((text, column) => {
            const given = rows[row]![column]!;
            expect(text.endsWith(given)).toBe(true);
            expect(text.slice(0, text.length - given.length)).toMatch(
              DANGEROUS.test(given) ? /^'$/ : /^'?$/,
            );
          }),
        );
      }),
    );
  });
});
