import { describe, expect, test } from '@jest/globals';
import {
  IsArray,
  IsIn,
  IsString,
  MaxLength,
  MinLength,
  ValidateNested,
  validateSync,
} from 'class-validator';
import { keepsRules } from './kept-rules.js';
import { Check, fault, Optional } from './validators.js';

class Plain {
  @IsString()
  @MinLength(2)
  @MaxLength(4)
  name: unknown;

  @Optional()
  @IsIn(['a', 'b'])
  kind?: unknown;

  @Optional()
  @Check('isEven', (value) => (Number(value) % 2 === 0 ? [] : fault('odd', 'Must be even.')))
  even?: unknown;
}

class WithItems {
  @IsArray()
  @IsString({ each: true })
  items: unknown;
}

class WithNested {
  @ValidateNested()
  inner: unknown;
}

const VALUES = [undefined, null, '', 'a', 'ab', 'abcd', 'abcde', 1, 2, true, [], ['ab'], {}, NaN];

describe('rules that are kept', () => {
  test('are those that class-validator finds kept', () => {
    let kept = 0;
    for (const name of VALUES) {
      for (const kind of VALUES) {
        for (const even of VALUES) {
          const instance = Object.assign(new Plain(), { name, kind, even });
          const isKept = validateSync(instance, { forbidUnknownValues: false }).length === 0;
          expect(keepsRules(instance)).toBe(isKept);
          if (isKept) kept += 1;
        }
      }
    }
    expect(kept).toBeGreaterThan(10);
  });

  test.each([
    ['items of lists', Object.assign(new WithItems(), { items: ['a'] })],
    ['nested objects', Object.assign(new WithNested(), { inner: new Plain() })],
  ])('are for class-validator to find where there are %s', (_what, instance) => {
    expect(keepsRules(instance)).toBe(false);
  });
});
