import { describe, expect, it } from '@jest/globals';
import { negotiate } from './export-format.js';

describe('negotiate', () => {
  it.each([
    [undefined, 'ndjson'],
    ['*/*', 'ndjson'],
    ['text/csv', 'csv'],
    ['TEXT/CSV; charset=utf-8', 'csv'],
    ['text/*', 'csv'],
    ['application/x-ndjson', 'ndjson'],
    ['text/html, text/csv;q=0.5, */*;q=0.1', 'csv'],
    ['application/x-ndjson;q=0, */*', 'csv'],
    ['text/csv;q=0.9, application/x-ndjson;q=0.8', 'csv'],
    ['text/csv, application/x-ndjson', 'ndjson'],
  ])('reads Accept: %s as %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format);
  });

  it.each(['application/json', 'text/html', '', '*/*;q=0', 'text/csv;q=0, application/json'])(
    'refuses Accept: %s with 406',
    (accept) => {
      expect(() => negotiate(accept)).toThrow(
        expect.objectContaining({ status: 406, code: 'not_acceptable' }),
      );
    },
  );

  it('lets format decide over Accept', () => {
    expect(negotiate('application/json', 'csv')).toBe('csv');
  });
});
