import { describe, expect, test } from '@jest/globals';
import { binaryArray } from './binary-arrays.js';

describe('arrays in the binary format', () => {
  // As `SELECT encode(array_send(…), 'hex')` of PostgreSQL 15 writes them.
  test.each([
    [
      "ARRAY['a','']",
      'text',
      ['a', ''],
      '0000000100000000000000190000000200000001000000016100000000',
    ],
    [
      "ARRAY[NULL,'ü']",
      'text',
      [null, 'ü'],
      '0000000100000001000000190000000200000001ffffffff00000002c3bc',
    ],
    ["'{}'::text[]", 'text', [], '000000000000000000000019'],
    [
      'ARRAY[-1,NULL]::int8[]',
      'int8',
      [-1, null],
      '000000010000000100000014000000020000000100000008ffffffffffffffffffffffff',
    ],
    [
      'ARRAY[1795629949241]',
      'int8',
      [1795629949241],
      '000000010000000000000014000000010000000100000008000001a213e2a139',
    ],
  ] as const)('%s', (_sql, type, values, hex) => {
    expect(binaryArray(type, values).toString('hex')).toBe(hex);
  });
});
