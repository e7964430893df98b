import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { keepsRules } from './kept-rules.js';
import { invalid, type FieldError } from './problem.js';
import { ruleErrors } from './validation-rules.js';
import { structureErrors } from './validation-structure.js';

const MAX_ERRORS = 50;
const NOT_DTOS: readonly unknown[] = [
  String,
  Boolean,
  Number,
  Array,
  Object,
  Buffer,
  Date,
  Map,
  Set,
];
const optionalBodies = new WeakSet<object>();

/** On a body DTO without required properties: the request may have no body at all, which then counts as `{}`. */
export function OptionalBody(): ClassDecorator {
  return (target) => {
    optionalBodies.add(target);
  };
}

/**
 * The global pipe: bodies and query strings become instances of their DTO classes, or a 400 that names every pointer at
 * fault. Nothing is coerced, unknown properties are refused, `null` is refused where it is not allowed, and a list is
 * never taken for an object. Single parameters (`@Param('id') id: string`) pass as they are.
 */
@Injectable()
export class StrictValidationPipe implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (type === 'custom' || !isDto(metatype)) return value;
    return validated(metatype, type === 'query' ? (value ?? {}) : value);
  }
}

/**
 * The instance of `dto` that the plain value describes.
 * @throws Problem 400 `validation_failed`
 */
export function validated<T extends object>(dto: Type<T>, value: unknown): T {
  const plain = value === undefined && optionalBodies.has(dto) ? {} : value;
  if (plain === undefined) {
    throw invalid({ pointer: '', code: 'required', detail: 'The request needs a JSON body.' });
  }
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw invalid({ pointer: '', code: 'wrong_type', detail: 'The body must be an object.' });
  }
  return checked(plain as Record<string, unknown>, plainToInstance(dto, plain));
}

/**
 * The instance of a DTO that was made of `plain`, if it is what the DTO wants.
 * @throws Problem 400 `validation_failed`
 */
export function checked<T extends object>(plain: Record<string, unknown>, instance: T): T {
  const structural = structureErrors(plain, instance);
  if (structural.length === 0 && keepsRules(instance)) return instance;
  const rules = ruleErrors(
    validateSync(instance, { forbidUnknownValues: false, validationError: { target: true } }),
  );
  const errors = [...structural, ...rules.filter((error) => !covered(error, structural))];
  if (errors.length > 0) throw invalid(...errors.slice(0, MAX_ERRORS));
  return instance;
}

function isDto(metatype: unknown): metatype is Type<object> {
  return typeof metatype === 'function' && !NOT_DTOS.includes(metatype);
}

/** One fault is told once: a property that is missing is not also too short. */
function covered(error: FieldError, structural: FieldError[]): boolean {
  return structural.some(
    ({ pointer }) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`),
  );
}
