import { getMetadataStorage } from 'class-validator';
import type { FieldError } from './problem.js';
import { escapePointer } from './validators.js';

type Plain = Record<string, unknown>;
type Condition = (object: object, value: unknown) => boolean;

/** What class-validator knows of one property, as far as its shape is concerned. */
interface Shape {
  conditions: Condition[];
  /** `list`: rules with `each`, or a declared array of nested objects; `object`: one nested object. */
  kind: 'list' | 'object' | 'plain';
  nested: boolean;
}

const shapesOfClasses = new WeakMap<object, Map<string, Shape>>();

/**
 * The faults of shape that class-validator overlooks: unknown properties (it lets the names of `Object.prototype` pass, and
 * class-transformer drops them), missing nested objects, `null`, a list for an object, a single value for a list.
 * `instance` is what class-transformer made of `plain`.
 */
export function structureErrors(plain: Plain, instance: object, at = ''): FieldError[] {
  const shapes = shapesOf(instance.constructor);
  const unknown = Object.keys(plain)
    .filter((key) => !shapes.has(key))
    .map((key) => ({
      pointer: `${at}/${escapePointer(key)}`,
      code: 'unknown_property',
      detail: 'There is no such property.',
    }));
  const known = [...shapes].flatMap(([key, shape]) => {
    const value = (instance as Plain)[key];
    if (!shape.conditions.every((condition) => condition(instance, value))) return [];
    return propertyErrors(plain[key], value, shape, `${at}/${escapePointer(key)}`);
  });
  return [...unknown, ...known];
}

function propertyErrors(
  plain: unknown,
  value: unknown,
  shape: Shape,
  pointer: string,
): FieldError[] {
  if (value === undefined) return [{ pointer, code: 'required', detail: 'Must be given.' }];
  if (value === null) return [{ pointer, code: 'wrong_type', detail: 'Must not be null.' }];
  if (shape.kind === 'object') return objectErrors(plain, value, pointer);
  if (shape.kind !== 'list') return [];
  if (!Array.isArray(value)) return [{ pointer, code: 'wrong_type', detail: 'Must be a list.' }];
  if (!shape.nested || !Array.isArray(plain)) return [];
  return value.flatMap((item, index) => objectErrors(plain[index], item, `${pointer}/${index}`));
}

function objectErrors(plain: unknown, value: unknown, pointer: string): FieldError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ pointer, code: 'wrong_type', detail: 'Must be an object.' }];
  }
  // Without @Type there is no class to compare with; what holds the value is then a plain object.
  if (value.constructor === Object || typeof plain !== 'object' || plain === null) return [];
  return structureErrors(plain as Plain, value, pointer);
}

/** The names of the properties that a DTO class has rules for. */
export function propertiesOf(target: object): string[] {
  return [...shapesOf(target).keys()];
}

function shapesOf(target: object & { prototype?: object }): Map<string, Shape> {
  const remembered = shapesOfClasses.get(target);
  if (remembered !== undefined) return remembered;
  const shapes = new Map<string, Shape>();
  const rules = getMetadataStorage().getTargetValidationMetadatas(
    target as () => void,
    '',
    false,
    false,
  );
  for (const rule of rules) {
    const shape = shapes.get(rule.propertyName) ?? { conditions: [], kind: 'plain', nested: false };
    shapes.set(rule.propertyName, shape);
    if (rule.type === 'conditionalValidation')
      shape.conditions.push(rule.constraints[0] as Condition);
    if (rule.type === 'nestedValidation') {
      shape.nested = true;
      if (shape.kind === 'plain') shape.kind = isArrayProperty(target, rule.propertyName);
    }
    if (rule.each) shape.kind = 'list';
  }
  shapesOfClasses.set(target, shapes);
  return shapes;
}

/** The declared type tells; a union (`X[] | null`) hides it, so lists say `{ each: true }`. */
function isArrayProperty(target: { prototype?: object }, property: string): 'list' | 'object' {
  const declared: unknown = Reflect.getMetadata('design:type', target.prototype ?? {}, property);
  return declared === Array ? 'list' : 'object';
}
