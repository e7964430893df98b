import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

/** The links of openapi.json. */

const document = JSON.parse(readFileSync('openapi.json', 'utf8'));
type Schema = Record<string, any>;

interface Operation {
  operationId: string;
  path: string;
  parameters: { in: string; name: string }[];
  responses: Record<string, any>;
}

const OPERATIONS: Operation[] = Object.entries<any>(document.paths).flatMap(([path, item]) =>
  Object.values<any>(item).map((operation) => ({ parameters: [], ...operation, path })),
);
const BY_ID = new Map(OPERATIONS.map((operation) => [operation.operationId, operation]));

interface Link {
  from: Operation;
  answer: any;
  operationId: string;
  parameters: Record<string, string>;
}

const LINKS: Link[] = OPERATIONS.flatMap((from) =>
  Object.values(from.responses).flatMap((answer) =>
    Object.values<any>(answer.links ?? {}).map((link) => ({ from, answer, ...link })),
  ),
);

const paramsOf = ({ path }: Operation) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

/** What no answer to a create shows: an event is the server's, and of a session a login shows the token alone. */
const MADE_BY_NOBODY = ['eventId', 'sessionId'];

function resolved(schema: Schema | undefined): Schema | undefined {
  const target = schema?.allOf?.[0] ?? schema;
  if (target?.$ref === undefined) return target;
  return resolved(document.components.schemas[target.$ref.split('/').at(-1)]);
}

/** The schema of what a JSON pointer points at. */
function at(schema: Schema, pointer: string): Schema | undefined {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Schema | undefined>((found, name) => {
      const { items, properties } = resolved(found) ?? {};
      return resolved(name === '0' ? items : properties?.[name]);
    }, schema);
}

function problemOf({ from, answer, operationId, parameters }: Link): string | undefined {
  const target = BY_ID.get(operationId);
  if (target === undefined) return 'there is no such operation';
  const names = target.parameters.map(({ name }) => name);
  const strange = Object.keys(parameters).filter((name) => !names.includes(name));
  const missing = paramsOf(target).filter((name) => !(name in parameters));
  if (strange.length + missing.length > 0)
    return `${strange.join()} strange, ${missing.join()} missing`;
  const [media] = Object.values<any>(answer.content);
  const wrong = Object.values(parameters).filter((expression) => {
    const [, place, name] = /^\$(request\.path|response\.header|response\.body)[.#](.+)$/.exec(
      expression,
    )!;
    if (place === 'request.path') return !paramsOf(from).includes(name!);
    if (place === 'response.header') return !(name! in answer.headers);
    return ![at(media.schema, name!)?.type].flat().includes('string');
  });
  return wrong.length === 0 ? undefined : `${wrong.join()} says nothing`;
}

describe('links', () => {
  it('lead to operations, with parameters that these have and answers show', () => {
    expect(LINKS.length).toBeGreaterThan(80);
    const wrong = LINKS.flatMap((link) => {
      const problem = problemOf(link);
      return problem === undefined
        ? []
        : [`${link.from.operationId} → ${link.operationId}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });

  it('lead to every operation on what a create has made', () => {
    const reached = new Set(LINKS.map(({ operationId }) => operationId));
    const lost = OPERATIONS.filter((operation) => paramsOf(operation).length > 0)
      .filter((operation) => !paramsOf(operation).some((name) => MADE_BY_NOBODY.includes(name)))
      .map(({ operationId }) => operationId);
    expect(lost.length).toBeGreaterThan(40);
    expect(lost.filter((operationId) => !reached.has(operationId))).toEqual([]);
  });

  it('lead from making to reading, changing and ending, and from reading under an entity tag', () => {
    const linked = (from: string) =>
      LINKS.filter((link) => link.from.operationId === from).map(({ operationId }) => operationId);
    expect(linked('keys_create').sort()).toEqual([
      'keys_get',
      'keys_revoke',
      'keys_rotate',
      'keys_update',
      'keys_usage',
    ]);
    expect(linked('keys_rotate')).toEqual(linked('keys_create'));
    expect(linked('serviceAccounts_create')).toEqual(
      expect.arrayContaining(['serviceAccounts_delete', 'keys_create', 'keys_rotate']),
    );
    const get = LINKS.filter(({ from }) => from.operationId === 'roles_get');
    expect(get.map(({ operationId }) => operationId)).toEqual(['roles_update', 'roles_delete']);
    for (const { parameters } of get) expect(parameters['If-Match']).toBe('$response.header.ETag');
  });

  it('end nothing that a list shows', () => {
    const listed = LINKS.filter(({ parameters }) => /\/0\//.test(Object.values(parameters).join()));
    expect(listed.map(({ operationId }) => operationId)).not.toHaveLength(0);
    for (const { operationId } of listed) expect(operationId).toMatch(/_get$/);
  });
});
