import { getMetadataStorage, type ValidationArguments } from 'class-validator';

type Metadata = ReturnType<
  ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']
>[number];
type Condition = (object: object, value: unknown) => boolean;

/** What class-validator asks of one property. */
interface Property {
  name: string;
  conditions: Condition[];
  checks: { metadata: Metadata; keeps: (value: unknown, about: ValidationArguments) => unknown }[];
}

/** `undefined`: such a class is for class-validator alone. */
const compiled = new WeakMap<object, Property[] | undefined>();

/**
 * Whether an instance certainly keeps all rules of its class: those very rules, put in order once, where class-validator collects
 * and sorts them anew for every object. False also when that is not certain (nested objects, rules for the items of
 * lists): it is for class-validator to decide then, and to say what is wrong.
 */
export function keepsRules(instance: object): boolean {
  const properties = compile(instance.constructor);
  return properties !== undefined && properties.every((property) => keeps(instance, property));
}

function keeps(instance: object, { name, conditions, checks }: Property): boolean {
  const value = (instance as Record<string, unknown>)[name];
  if (!conditions.every((condition) => condition(instance, value))) return true;
  return checks.every(({ metadata, keeps: isKept }) => {
    const { constraints } = metadata;
    const about = { targetName: '', property: name, object: instance, value, constraints };
    return isKept(value, about) === true;
  });
}

function compile(target: object): Property[] | undefined {
  if (compiled.has(target)) return compiled.get(target);
  const storage = getMetadataStorage();
  const rules = storage.getTargetValidationMetadatas(target as () => void, '', false, false);
  const properties = rules.every(isPlain) ? propertiesOf(rules) : undefined;
  compiled.set(target, properties);
  return properties;
}

function isPlain({ type, each, validateIf }: Metadata): boolean {
  const isKnown = type === 'customValidation' || type === 'conditionalValidation';
  return isKnown && !each && validateIf === undefined;
}

function propertiesOf(rules: Metadata[]): Property[] {
  const properties = new Map<string, Property>();
  for (const metadata of rules) {
    const name = metadata.propertyName;
    const property = properties.get(name) ?? { name, conditions: [], checks: [] };
    properties.set(name, property);
    if (metadata.type === 'conditionalValidation') {
      property.conditions.push(metadata.constraints[0] as Condition);
      continue;
    }
    for (const { instance } of getMetadataStorage().getTargetValidatorConstraints(
      metadata.constraintCls,
    )) {
      property.checks.push({ metadata, keeps: instance.validate.bind(instance) });
    }
  }
  return [...properties.values()];
}
