import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf, type ValidationOptions } from 'class-validator';
import {
  CONTROL_CHARACTER,
  INVISIBLE_CHARACTER,
  NAME_OR_EMPTY_PATTERN,
  NAME_PATTERN,
  TEXT_PATTERN,
} from './text-patterns.js';
import { parseTimestamp } from './timestamp.js';
import type { FieldError } from './problem.js';

/**
 * Looks at one value and says what is wrong with it; nothing wrong is an empty list. Pointers are relative to the value:
 * `''` is the value itself, `/team` a member of it.
 */
export type FieldCheck = (value: unknown) => FieldError[];

const fieldChecks = new WeakSet<object>();

/** The faults that most checks end in. */
export function fault(code: string, detail: string, pointer = ''): FieldError[] {
  return [{ pointer, code, detail }];
}

/**
 * The general decorator: a property is judged by a pure function that gives pointers, codes and details itself. With
 * `{ each: true }` the property is a list and the function sees each item.
 */
export function Check(
  name: string,
  check: FieldCheck,
  options?: ValidationOptions,
): PropertyDecorator {
  fieldChecks.add(check);
  return ValidateBy(
    {
      name,
      constraints: [check],
      validator: { validate: (value) => check(value).length === 0 },
    },
    options,
  );
}

/** Whether a rule's constraint is the function of a {@link Check}. */
export function isFieldCheck(constraint: unknown): constraint is FieldCheck {
  return typeof constraint === 'function' && fieldChecks.has(constraint);
}

/** The property may be absent. Unlike `IsOptional` of class-validator it does not let `null` through. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** The property may be absent or `null`, and the two can mean different things. */
export function Nullable(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined && value !== null);
}

/** A name or another short text of one line: 1 to `max` characters (code points), trimmed, nothing invisible in it. */
export function IsName({ max = 100 }: { max?: number } = {}): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', minLength: 1, maxLength: max, pattern: NAME_PATTERN }),
    Check('isName', (value) => checkText(value, { min: 1, max, lines: false })),
  );
}

/** A text of any number of lines: `min` (0) to `max` characters (code points), no control characters but newline and tab. */
export function IsText({ min = 0, max }: { min?: number; max: number }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', minLength: min, maxLength: max, pattern: TEXT_PATTERN }),
    Check('isText', (value) => checkText(value, { min, max, lines: true })),
  );
}

/**
 * Whatever can be stored, up to `max` characters (code points): what something else decides about, a password say. It is documented
 * in `openapi/bounds.ts`.
 */
export function IsAnyText({ max }: { max: number }): PropertyDecorator {
  return Check('isAnyText', (value) => {
    if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
    return lengthOf(value) <= max ? [] : fault('too_long', `Must have at most ${max} characters.`);
  });
}

/** An RFC 3339 date-time with an offset, a day that exists, years 0001 to 9999. It stays a string: see `toDate`. */
export function IsTimestamp(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', format: 'date-time' }),
    Check('isTimestamp', checkTimestamp),
  );
}

/** A JSON integer within bounds, documented as `integer`; `1.0` is one, `"1"` is not. */
export function IsInteger({ min, max }: { min: number; max: number }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max }),
    Check('isInteger', (value) => checkInteger(value, min, max)),
  );
}

/** How an object of strings is bounded. */
export interface StringMapBounds {
  maxEntries: number;
  maxKeyLength: number;
  maxValueLength: number;
  /** What a key must look like. */
  keyPattern?: RegExp;
}

/** An object whose values are strings, labels for example. Faults point at the very key. */
export function IsStringMap(bounds: StringMapBounds): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      type: 'object',
      additionalProperties: {
        type: 'string',
        maxLength: bounds.maxValueLength,
        pattern: NAME_OR_EMPTY_PATTERN,
      },
      maxProperties: bounds.maxEntries,
    }),
    Check('isStringMap', (value) => checkStringMap(value, bounds)),
  );
}

/** What a query parameter's documentation may say. */
export interface ParamDoc {
  description?: string;
  example?: unknown;
}

/** A query parameter that is a whole number in decimal digits. Nothing else is read as one: not `1.5`, `0x10`, `1e3`, ` 1`. */
export function IntegerParam(
  options: { min: number; max: number; default?: number } & ParamDoc,
): PropertyDecorator {
  const { min, max, ...doc } = options;
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: min, maximum: max, ...doc }),
    Optional(),
    Transform(({ value }: { value: unknown }) => integerOf(value)),
    Check('integerParam', (value) => checkInteger(value, min, max)),
  );
}

/** A query parameter that is `true` or `false`. */
export function BooleanParam(doc: ParamDoc = {}): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: 'boolean', ...doc }),
    Optional(),
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
    Check('booleanParam', (value) =>
      typeof value === 'boolean' ? [] : fault('wrong_type', 'Must be true or false.'),
    ),
  );
}

/** A query parameter that is one of a few words. */
export function EnumParam(values: readonly string[], doc: ParamDoc = {}): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: 'string', enum: [...values], ...doc }),
    Optional(),
    Check('enumParam', (value) =>
      values.includes(value as string)
        ? []
        : fault('not_allowed', `Must be one of: ${values.join(', ')}.`),
    ),
  );
}

/** A query parameter with free text, 1 to `max` characters. */
export function TextParam({ max, ...doc }: { max: number } & ParamDoc): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'string',
      minLength: 1,
      maxLength: max,
      pattern: TEXT_PATTERN,
      ...doc,
    }),
    Optional(),
    Check('textParam', (value) => checkText(value, { min: 1, max, lines: true, trimmed: false })),
  );
}

/** A query parameter that is an RFC 3339 date-time. */
export function TimestampParam(doc: ParamDoc = {}): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: 'string', format: 'date-time', ...doc }),
    Optional(),
    Check('timestampParam', checkTimestamp),
  );
}

const TIMESTAMP_DETAIL =
  'Must be an RFC 3339 date-time with an offset, such as 2027-01-31T12:00:00Z (in a query, + is written %2B).';

const INVISIBLE = new RegExp(INVISIBLE_CHARACTER);
const INVISIBLE_IN_TEXT = new RegExp(CONTROL_CHARACTER);

interface TextBounds {
  min: number;
  max: number;
  lines: boolean;
  trimmed?: boolean;
}

function checkText(value: unknown, bounds: TextBounds): FieldError[] {
  if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
  const length = lengthOf(value);
  if (length < bounds.min) {
    return fault('too_short', `Must have at least ${bounds.min} character${plural(bounds.min)}.`);
  }
  if (length > bounds.max) {
    return fault('too_long', `Must have at most ${bounds.max} character${plural(bounds.max)}.`);
  }
  if ((bounds.lines ? INVISIBLE_IN_TEXT : INVISIBLE).test(value)) {
    return fault('invalid_format', 'Must not contain control characters.');
  }
  if (!bounds.lines && bounds.trimmed !== false && value !== value.trim()) {
    return fault('invalid_format', 'Must not begin or end with white space.');
  }
  return [];
}

function checkTimestamp(value: unknown): FieldError[] {
  if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
  return parseTimestamp(value) === undefined ? fault('invalid_format', TIMESTAMP_DETAIL) : [];
}

function checkInteger(value: unknown, min: number, max: number): FieldError[] {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return fault('wrong_type', `Must be a whole number from ${min} to ${max}.`);
  }
  if (value < min) return fault('too_small', `Must be at least ${min}.`);
  if (value > max) return fault('too_large', `Must be at most ${max}.`);
  return [];
}

/** Digits become a number (beyond 2^53 an inexact one: any bound refuses it); all else stays text and is refused as such. */
function integerOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,100}$/.test(value) ? Number(value) : value;
}

function checkStringMap(value: unknown, bounds: StringMapBounds): FieldError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault('wrong_type', 'Must be an object of strings.');
  }
  const entries = Object.entries(value);
  if (entries.length > bounds.maxEntries) {
    return fault('too_long', `Must have at most ${bounds.maxEntries} entries.`);
  }
  return entries.flatMap(([key, item]) => {
    const pointer = `/${escapePointer(key)}`;
    if (key === '' || lengthOf(key) > bounds.maxKeyLength) {
      const detail = `The key must have 1 to ${bounds.maxKeyLength} characters.`;
      return fault(key === '' ? 'too_short' : 'too_long', detail, pointer);
    }
    if (INVISIBLE.test(key) || bounds.keyPattern?.test(key) === false) {
      const like = bounds.keyPattern ? ` It must match ${bounds.keyPattern.source}.` : '';
      return fault(
        'invalid_format',
        `The key has characters that are not allowed.${like}`,
        pointer,
      );
    }
    return checkText(item, { min: 0, max: bounds.maxValueLength, lines: false }).map((error) => ({
      ...error,
      pointer,
    }));
  });
}

/** RFC 6901: `~` and `/` have a meaning in a pointer. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Code points, not UTF-16 units: an emoji is one character. */
function lengthOf(text: string): number {
  return [...text].length;
}

function plural(count: number): string {
  return count === 1 ? '' : 's';
}
