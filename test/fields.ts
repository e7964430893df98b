import { readFileSync } from 'node:fs';

/** Everything that a caller can fill in, read from the OpenAPI document, each with values that must be refused. */

export interface Operation {
  id: string;
  method: string;
  path: string;
  access: string;
  /** A person must have proved their password a short while ago. */
  isDangerous: boolean;
  parameters: { name: string; in: string; schema: Schema }[];
  /** Of its JSON body, if it takes one. */
  body: Schema | undefined;
  /** Of its form, under `/oauth`. */
  form: Schema | undefined;
}

interface Schema {
  $ref?: string;
  allOf?: Schema[];
  oneOf?: Schema[];
  type?: string | string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  maxProperties?: number;
  example?: unknown;
}

/** A value at a place, where it is wrong. */
export interface Fault {
  /** JSON pointer. */
  pointer: string;
  what: string;
  body: unknown;
}

const document = JSON.parse(readFileSync('openapi.json', 'utf8'));

/** All operations of the API. */
export const OPERATIONS: Operation[] = Object.entries<any>(document.paths)
  .filter(([path]) => /^\/(?:v1|oauth)\//.test(path))
  .flatMap(([path, item]) =>
    Object.entries<any>(item).map(([verb, operation]) => ({
      id: operation.operationId,
      method: verb.toUpperCase(),
      path,
      access: operation['x-required-permission'],
      isDangerous: operation['x-requires-reauthentication'] === true,
      parameters: operation.parameters ?? [],
      body: operation.requestBody?.content['application/json']?.schema,
      form: operation.requestBody?.content['application/x-www-form-urlencoded']?.schema,
    })),
  );

/** The schema itself, and not where it is. */
export function resolved(schema: Schema): Schema {
  const [one] = schema.allOf ?? [];
  if (one !== undefined) return resolved(one);
  if (schema.$ref === undefined) return schema;
  return document.components.schemas[schema.$ref.split('/').at(-1)!];
}

/** Texts that no text field takes: PostgreSQL cannot store them. */
export const BAD_TEXTS: [string, string][] = [
  ['NUL', 'a\0b'],
  ['a lone surrogate', 'a\ud800b'],
  ['a lone low surrogate', '\udfff'],
];

const PUBLIC_KEY: Schema = { $ref: '#/components/schemas/PublicKey' };

/** What is nobody's to choose, unless the schema says so. */
const FOREIGN = ['organizationId', 'id', 'role', 'createdAt', 'tokenHash', 'status', 'surprise'];

const WRONG: Record<string, unknown[]> = {
  string: [7, true, [], {}, ['x']],
  integer: ['5', 1.5, true, [], {}, -1, 1e21],
  number: ['5', true, [], {}],
  boolean: ['false', 'true', 0, 1, [], {}],
  array: [{}, 'x', 7, true, { 0: 'x', length: 1 }],
  object: [[], 'x', 7, true, [{}]],
};

/** A body with every fault once, around values that are all right. */
export function faultsOf(schema: Schema, valid: Record<string, unknown>): Fault[] {
  return within(resolved(schema), valid, '', (body) => body);
}

type Rebuild = (value: unknown) => unknown;

function within(
  schema: Schema,
  valid: Record<string, unknown>,
  at: string,
  rebuild: Rebuild,
): Fault[] {
  const properties = schema.properties ?? {};
  const known = Object.entries(properties).flatMap(([name, field]) => {
    const put: Rebuild = (value) => rebuild({ ...valid, [name]: value });
    return faultsAt(field, valid[name], `${at}/${name}`, put);
  });
  const unknown = FOREIGN.filter((name) => !Object.hasOwn(properties, name)).map((name) => ({
    pointer: `${at}/${name}`,
    what: 'not one of its fields',
    body: rebuild({ ...valid, [name]: 'x' }),
  }));
  return [...known, ...unknown];
}

function faultsAt(field: Schema, given: unknown, pointer: string, put: Rebuild): Fault[] {
  const schema = resolved(field);
  const types = [schema.type ?? 'object'].flat();
  const fault = (what: string, value: unknown) => ({ pointer, what, body: put(value) });
  const faults = types
    .filter((type) => type !== 'null')
    .flatMap((type) => WRONG[type]!.map((value) => fault(JSON.stringify(value), value)));
  if (!types.includes('null')) faults.push(fault('null', null));
  if (types.includes('string')) faults.push(...BAD_TEXTS.map((bad) => fault(...bad)));
  faults.push(...beyond(schema).map((bad) => fault(...bad)));
  if (types.includes('array')) faults.push(...inItems(schema.items!, pointer, put));
  if (types.includes('object')) faults.push(...inMembers(schema, given, pointer, put));
  return faults;
}

/** Values just outside of the limits that the schema states. */
export function beyond(schema: Schema): [string, unknown][] {
  const { maxLength, minLength = 0, minimum, maximum, maxItems, maxProperties } = schema;
  const values: [string, unknown][] = [];
  if (schema.enum !== undefined) values.push(['none of the words', 'surprise']);
  if (maxLength !== undefined) values.push(['a character too many', 'x'.repeat(maxLength + 1)]);
  if (minLength > 0) values.push(['a character too few', 'x'.repeat(minLength - 1)]);
  if (minimum !== undefined) values.push(['too small', minimum - 1]);
  if (maximum !== undefined) values.push(['too large', maximum + 1]);
  if (maxItems !== undefined) values.push(['an item too many', counted(maxItems + 1)]);
  if (maxProperties !== undefined) {
    const entries = counted(maxProperties + 1).map((text) => [text.replace(':', '.'), text]);
    values.push(['an entry too many', Object.fromEntries(entries)]);
  }
  return values;
}

/** So many different texts, each such as a name, a part of an address or a permission may be. */
function counted(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `a:b${at}`);
}

function inItems(items: Schema, pointer: string, put: Rebuild): Fault[] {
  return faultsAt(items, undefined, `${pointer}/0`, (value) => put([value]));
}

function inMembers(schema: Schema, given: unknown, pointer: string, put: Rebuild): Fault[] {
  // A public key is one value: what is wrong with it is wrong with the whole, and RFC 7517 lets it have more members.
  if (schema === resolved(PUBLIC_KEY)) return [];
  if (schema.properties !== undefined) {
    const valid = (given ?? schema.example ?? {}) as Record<string, unknown>;
    return within(schema, valid, pointer, put);
  }
  const { additionalProperties: values } = schema;
  if (typeof values !== 'object') return [];
  // Maps of names that the caller chooses; their values are texts, or texts among others.
  const kind: Schema = values.oneOf?.[0] ?? values;
  const isMixed = values.oneOf !== undefined;
  return faultsAt(kind, undefined, `${pointer}/team`, (value) => put({ team: value })).filter(
    ({ what }) => !isMixed || !['7', 'true', '[]', '["x"]'].includes(what),
  );
}
