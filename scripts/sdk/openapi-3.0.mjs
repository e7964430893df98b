/**
 * A copy of an OpenAPI 3.1 document that generators of 3.0 understand; the document itself stays as it is.
 * - `type: [T, "null"]` and `anyOf: [S, { type: "null" }]` become `nullable`.
 * - A union of anything but objects becomes any value: Java has no type for it.
 * - The words of an enumeration that the server answers with move into the description: a client must not fail over one that
 *   the server learns later. What clients send keeps them.
 */
export function toOpenApi30(document) {
  const { schemas = {}, ...components } = document.components ?? {};
  return {
    ...convert(document, schemas),
    openapi: '3.0.3',
    components: {
      ...convert(components, schemas),
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [
          name,
          convert(name.endsWith('Input') ? schema : withoutEnums(schema), schemas),
        ]),
      ),
    },
  };
}

function convert(node, schemas) {
  if (Array.isArray(node)) return node.map((item) => convert(item, schemas));
  if (typeof node !== 'object' || node === null) return node;
  const converted = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [
      name,
      // Examples are data, which may look like a schema.
      name === 'example' || name === 'examples' ? value : convert(value, schemas),
    ]),
  );
  return withoutUnion(withNullable(converted), schemas);
}

function withNullable(schema) {
  const { type, anyOf, ...rest } = schema;
  if (Array.isArray(type) && type.includes('null')) {
    const others = type.filter((name) => name !== 'null');
    if (others.length === 1) return { ...schema, type: others[0], nullable: true };
  }
  if (Array.isArray(anyOf) && anyOf.some(isNull)) {
    const others = anyOf.filter((choice) => !isNull(choice));
    if (others.length === 1) return { ...rest, allOf: others, nullable: true };
  }
  return schema;
}

function withoutUnion(schema, schemas) {
  const choices = schema.oneOf ?? schema.anyOf;
  if (!Array.isArray(choices) || choices.every((choice) => isObject(choice, schemas)))
    return schema;
  return Object.fromEntries(
    Object.entries(schema).filter(([name]) => name !== 'oneOf' && name !== 'anyOf'),
  );
}

function withoutEnums(node) {
  if (Array.isArray(node)) return node.map(withoutEnums);
  if (typeof node !== 'object' || node === null) return node;
  const { enum: words, ...rest } = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [
      name,
      name === 'example' ? value : withoutEnums(value),
    ]),
  );
  if (!Array.isArray(words)) return words === undefined ? rest : { ...rest, enum: words };
  const known = `One of: ${words.map((word) => `\`${word}\``).join(', ')}.`;
  return { ...rest, description: rest.description ? `${rest.description} ${known}` : known };
}

function isNull({ type }) {
  return type === 'null';
}

function isObject(choice, schemas) {
  const target = /^#\/components\/schemas\/(.+)$/.exec(choice.$ref ?? '')?.[1];
  const schema = target === undefined ? choice : schemas[target];
  return schema?.type === 'object';
}
