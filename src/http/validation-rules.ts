import { getMetadataStorage, type ValidationError } from 'class-validator';
import type { FieldError } from './problem.js';
import { escapePointer, isFieldCheck } from './validators.js';

type Rule = ReturnType<
  ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']
>[number];

/** The stable word for each rule of class-validator that says more than `invalid_format`. */
const CODES: Readonly<Record<string, string>> = {
  isString: 'wrong_type',
  isNumber: 'wrong_type',
  isInt: 'wrong_type',
  isBoolean: 'wrong_type',
  isObject: 'wrong_type',
  isArray: 'wrong_type',
  nestedValidation: 'wrong_type',
  minLength: 'too_short',
  isNotEmpty: 'too_short',
  arrayMinSize: 'too_short',
  arrayNotEmpty: 'too_short',
  maxLength: 'too_long',
  arrayMaxSize: 'too_long',
  min: 'too_small',
  max: 'too_large',
  isIn: 'not_allowed',
  isEnum: 'not_allowed',
  arrayUnique: 'not_unique',
};

/**
 * The errors of class-validator with JSON pointers: nested properties, and the index of the very item where a rule with
 * `each` failed, which class-validator does not tell. Of a value of the wrong type nothing else is said.
 */
export function ruleErrors(errors: ValidationError[], at = ''): FieldError[] {
  return errors.flatMap((error) => {
    const pointer = `${at}/${escapePointer(error.property)}`;
    return [...ownErrors(error, pointer), ...ruleErrors(error.children ?? [], pointer)];
  });
}

function ownErrors(error: ValidationError, pointer: string): FieldError[] {
  const constraints = Object.entries(error.constraints ?? {});
  if (constraints.length === 0) return [];
  const rules = rulesOf(error);
  const found = constraints.flatMap(([name, message]) => {
    const own = rules.filter((rule) => rule.name === name || rule.type === name);
    const plain: FieldError = { pointer, code: codeOf(name), detail: sentence(message, error) };
    return own.length === 0 ? [plain] : own.flatMap((rule) => ruleFaults(rule, error.value, plain));
  });
  return withoutConsequences(found);
}

function rulesOf(error: ValidationError): Rule[] {
  const target = error.target?.constructor;
  if (target === undefined) return [];
  return getMetadataStorage()
    .getTargetValidationMetadatas(target, '', false, false)
    .filter((rule) => rule.propertyName === error.property);
}

function ruleFaults(rule: Rule, value: unknown, plain: FieldError): FieldError[] {
  if (!rule.each || !Array.isArray(value)) return faultsOf(rule, value, plain);
  return value.flatMap((item, index) =>
    faultsOf(rule, item, { ...plain, pointer: `${plain.pointer}/${index}` }),
  );
}

/** A `Check` says itself what is wrong; any other rule is asked again, to find the item that it refuses. */
function faultsOf(rule: Rule, value: unknown, plain: FieldError): FieldError[] {
  const check: unknown = rule.constraints?.[0];
  if (isFieldCheck(check)) {
    return check(value).map((found) => ({
      ...found,
      pointer: plain.pointer + found.pointer,
    }));
  }
  if (!rule.each) return [plain];
  const args = { value, constraints: rule.constraints, object: {}, property: '', targetName: '' };
  const refuses = getMetadataStorage()
    .getTargetValidatorConstraints(rule.constraintCls)
    .some(({ instance }) => instance.validate(value, args) === false);
  return refuses ? [plain] : [];
}

function withoutConsequences(errors: FieldError[]): FieldError[] {
  const mistyped = new Set(
    errors.filter((error) => error.code === 'wrong_type').map((error) => error.pointer),
  );
  const seen = new Set<string>();
  return errors.filter(({ pointer, code }) => {
    if (mistyped.has(pointer) && code !== 'wrong_type') return false;
    const key = `${pointer} ${code}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function codeOf(rule: string): string {
  return Object.hasOwn(CODES, rule) ? (CODES[rule] ?? '') : 'invalid_format';
}

/** `each value in tags must be a string` → `Must be a string.`: the pointer names the property already. */
function sentence(message: string, { property }: ValidationError): string {
  const text = message
    .replace(/^each value in /, '')
    .replace(/^nested property /, '')
    .replace(`${property} `, '')
    .replace(/^All \S+'s elements/, 'elements');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
