type Json = Record<string, unknown>;

const MAX_DEPTH = 8;

const BY_FORMAT: Readonly<Record<string, string>> = {
  'date-time': '2027-01-31T12:00:00.000Z',
  email: 'ada@example.com',
  uri: 'https://example.com/docs',
};

/**
 * An example of a schema, composed of the examples of its properties; where there is none, of defaults, enumerations and
 * types. `schemas` are the document's components.
 */
export function exampleOf(schema: Json, schemas: Json, depth = 0): unknown {
  const own = ownExample(schema);
  if (own !== undefined || depth > MAX_DEPTH) return own;
  const { $ref } = schema;
  if (typeof $ref === 'string') {
    const target = schemas[$ref.slice($ref.lastIndexOf('/') + 1)];
    return target === undefined ? undefined : exampleOf(target as Json, schemas, depth + 1);
  }
  const parts = schema.allOf as Json[] | undefined;
  if (parts !== undefined) {
    const examples = parts.map((part) => exampleOf(part, schemas, depth + 1));
    return examples.length === 1 ? examples[0] : Object.assign({}, ...examples);
  }
  const choices = (schema.oneOf ?? schema.anyOf) as Json[] | undefined;
  if (choices?.[0] !== undefined) return exampleOf(choices[0], schemas, depth + 1);
  return byType(schema, schemas, depth);
}

function ownExample(schema: Json): unknown {
  if (schema.example !== undefined) return schema.example;
  if (Array.isArray(schema.examples)) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  return Array.isArray(schema.enum) ? schema.enum[0] : undefined;
}

function byType(schema: Json, schemas: Json, depth: number): unknown {
  const { type } = schema;
  switch (Array.isArray(type) ? (type as string[])[0] : type) {
    case 'object':
      return ofProperties(schema, schemas, depth);
    case 'array': {
      const item = exampleOf((schema.items ?? {}) as Json, schemas, depth + 1);
      return item === undefined ? [] : [item];
    }
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return BY_FORMAT[String(schema.format)] ?? 'text';
    default:
      return schema.properties === undefined ? undefined : ofProperties(schema, schemas, depth);
  }
}

function ofProperties(schema: Json, schemas: Json, depth: number): Json {
  const entries = Object.entries((schema.properties ?? {}) as Record<string, Json>)
    .map(([name, property]) => [name, exampleOf(property, schemas, depth + 1)] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
