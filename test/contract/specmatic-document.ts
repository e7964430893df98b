import { LEFT_OUT, narrow, type Schema } from './narrow.js';

/** openapi.json, as far as it matters here. */
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  responses: Record<string, { content?: Record<string, unknown> }>;
  requestBody?: { content: Record<string, { schema?: { $ref?: string } }> };
}

/** What is needed to ask for an operation: the values of its path's parameters. */
export type Things = (operation: Operation & { path: string }) => Promise<Record<string, string>>;

/** It tries every combination of what is optional: 65,000 requests for the sixteen filters of one list. */
const MOST_OPTIONAL = 2;

/** What a query may not say at random: where a page begins, and where a trail ends. */
const NOT_ASKED = [...LEFT_OUT, 'after', 'fromSequence'];

/**
 * openapi.json for Specmatic, which asks each operation with what its schemas allow and with what they forbid, and has to get what is
 * documented. It knows no ids: every operation gets things of its own in its path, so that none takes another's away.
 */
export async function documentFor(
  original: object,
  { things, exclude }: { things: Things; exclude: readonly string[] },
): Promise<object> {
  const document = JSON.parse(JSON.stringify(original, withoutEscapes)) as Document;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (exclude.includes(operation.operationId)) delete item[method];
      else prepare(document, operation, await things({ ...operation, path }));
    }
    if (Object.keys(item).length === 0) delete document.paths[path];
  }
  return document;
}

/** Its regular expressions have no escapes but for single characters: it would make names of what no name may have. */
function withoutEscapes(name: string, value: unknown): unknown {
  return name === 'pattern' && /\\[su]/.test(String(value)) ? undefined : value;
}

function prepare(
  { components }: Document,
  operation: Operation,
  values: Record<string, string>,
): void {
  const parameters = operation.parameters ?? [];
  const optional = parameters.filter((one) => one.in === 'query' && !one.required);
  const known = optional.filter(({ name }) => !NOT_ASKED.includes(name)).slice(0, MOST_OPTIONAL);
  operation.parameters = parameters
    .filter((one) => one.in === 'path' || one.required || known.includes(one))
    .map((one) =>
      one.in === 'path' ? { ...one, schema: { type: 'string', enum: [values[one.name]] } } : one,
    );
  // It asks for no type of its own, and gets the usual one.
  for (const { content } of Object.values(operation.responses)) {
    if (content?.['application/x-ndjson'] !== undefined) delete content['text/csv'];
  }
  const reference = operation.requestBody?.content['application/json']?.schema?.$ref;
  const schema = components.schemas[reference?.split('/').at(-1) ?? ''];
  if (schema === undefined) return;
  narrow(schema);
  delete schema.properties?.permissions; // its elements must differ, which the tool does not know
}
