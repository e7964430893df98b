import { ENTITY_TAGS, ETAGGED_EXTENSION } from '../http/etagged.js';
import { headerRef } from './shared.js';

type Json = Record<string, unknown>;

/** As much of an operation as conditions and replays show in. */
interface Operation {
  parameters?: { in: string; name: string }[];
  responses: Record<string, Json>;
  [ETAGGED_EXTENSION]?: boolean;
}

const IF_NONE_MATCH = {
  in: 'header',
  name: 'If-None-Match',
  required: false,
  description: 'Entity tags of what you have already (RFC 9110): 304 when one of them still holds.',
  schema: ENTITY_TAGS,
  example: '"3-Hx0zTzCkAbc"',
};

const IF_MATCH = {
  in: 'header',
  name: 'If-Match',
  required: false,
  description:
    'The entity tag of what you have read (RFC 9110): 412 when it has changed since, and nothing is done.',
  schema: ENTITY_TAGS,
  example: '"3-Hx0zTzCkAbc"',
};

const NOT_MODIFIED = {
  description: 'You have it already: `If-None-Match` names its present state. There is no body.',
};

/** Documents what `@ETagged()` and `@Idempotent()` do: request headers, answer headers and 304. */
export function documentConditions(operation: Operation, verb: string): void {
  const { responses } = operation;
  const replays = operation.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false;
  if (replays) addHeader(responses, 'Idempotency-Replayed', 'IdempotencyReplayed');
  if (operation[ETAGGED_EXTENSION] !== true) return;
  delete operation[ETAGGED_EXTENSION];
  if (verb === 'get') {
    responses['304'] = NOT_MODIFIED;
    operation.parameters = [...(operation.parameters ?? []), IF_NONE_MATCH];
  } else if (responses['201'] === undefined) {
    operation.parameters = [...(operation.parameters ?? []), IF_MATCH];
  }
  addHeader(responses, 'ETag', 'ETag');
}

/** To the answers that show a resource. */
function addHeader(responses: Record<string, Json>, name: string, component: string): void {
  for (const status of ['200', '201', '304']) {
    const response = responses[status];
    if (response === undefined || '$ref' in response) continue;
    const headers = response.headers as Json | undefined;
    responses[status] = { ...response, headers: { ...headers, [name]: headerRef(component) } };
  }
}
