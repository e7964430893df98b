type Json = Record<string, unknown>;

/** As much of an operation as links need. */
interface Operation extends Json {
  operationId: string;
  parameters?: { in: string; name: string }[];
  responses: Record<string, Json>;
}

/** An operation and where it is. */
interface Place {
  path: string;
  verb: string;
  operation: Operation;
  /** Its path parameters. */
  parameters: string[];
}

/** Parameters of a link: how each is to be filled in (a runtime expression of OpenAPI). */
type Expressions = Record<string, string>;

/** By what a thing is named in paths, where that is not its `id`. */
const NAMED_BY: Readonly<Record<string, string>> = { roleKey: 'key', permission: 'permission' };

/** What answers show, as JSON pointers, where a path does not tell: it is a verb's, or there is more than one thing. */
const SHOWN: Readonly<Record<string, Record<string, string>>> = {
  invitations_create: { invitationId: '/id', userId: '/userId' },
  keys_rotate: { keyId: '/id' },
  serviceAccounts_create: { serviceAccountId: '/serviceAccount/id', keyId: '/key/id' },
  users_invite: { invitationId: '/id' },
};

/** Lists of things that are made elsewhere, and people with an organization: who reads one may read the first thing of it. */
const FIRST: Readonly<Record<string, [string, Record<string, string>]>> = {
  organizationKeys_list: [
    'keys_get',
    { serviceAccountId: '/data/0/serviceAccountId', keyId: '/data/0/id' },
  ],
  sessions_create: ['organizations_get', { organizationId: '/organizations/0/id' }],
  setup_create: ['organizations_get', { organizationId: '/organizations/0/id' }],
};

/**
 * Connects the operations by links (OpenAPI 3.1, Link Object): what a create has made can be read, changed, ended and filled; what
 * was read can be changed and ended under its entity tag; the first thing of a list can be read. Nothing that a list shows can be
 * ended by a link: whoever follows it did not make it, and may be it. Changes the operations.
 */
export function linkOperations(paths: Record<string, Record<string, Operation>>): void {
  const places = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => ({
      path,
      verb,
      operation,
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
    })),
  );
  for (const place of places) {
    const links = linksOf(place, places);
    const answer = place.operation.responses['201'] ?? place.operation.responses['200'];
    if (answer !== undefined && Object.keys(links).length > 0) answer.links = links;
  }
}

function linksOf(place: Place, places: Place[]): Json {
  const { operationId, responses } = place.operation;
  const first = FIRST[operationId];
  if (first !== undefined) {
    const [target, pointers] = first;
    return { [target]: toLink(target, { ...fromPath(place), ...fromBody(pointers) }) };
  }
  if (responses['201'] !== undefined) return linksOfMade(place, places);
  if (place.verb !== 'get') return {};
  return { ...linksOfRead(place, places), ...linksOfListed(place, places) };
}

function linksOfMade(place: Place, places: Place[]): Json {
  const item = itemOf(place, places);
  const ofItem = item === undefined ? {} : { [item]: `/${fieldOf(item)}` };
  const made = SHOWN[place.operation.operationId] ?? ofItem;
  const known: Expressions = { ...fromPath(place), ...fromBody(made) };
  const targets = places.filter(
    ({ parameters }) =>
      parameters.every((name) => name in known) && parameters.some((name) => name in made),
  );
  return toLinks(targets, known);
}

function linksOfRead(place: Place, places: Place[]): Json {
  const targets = places.filter(
    ({ path, operation }) => path === place.path && parameterNames(operation).includes('If-Match'),
  );
  return toLinks(targets, { ...fromPath(place), 'If-Match': '$response.header.ETag' });
}

function linksOfListed(place: Place, places: Place[]): Json {
  const item = itemOf(place, places);
  if (item === undefined) return {};
  const targets = places.filter(
    ({ path, verb }) => path === `${place.path}/{${item}}` && verb === 'get',
  );
  return toLinks(targets, {
    ...fromPath(place),
    ...fromBody({ [item]: `/data/0/${fieldOf(item)}` }),
  });
}

/** The parameter that names one thing of a collection. */
function itemOf({ path }: Place, places: Place[]): string | undefined {
  const item = places.find((one) => one.path.startsWith(`${path}/{`))?.path;
  return item === undefined ? undefined : /^\{(\w+)\}/.exec(item.slice(path.length + 1))?.[1];
}

function fieldOf(parameter: string): string {
  return NAMED_BY[parameter] ?? 'id';
}

function fromPath({ parameters }: Place): Expressions {
  return Object.fromEntries(parameters.map((name) => [name, `$request.path.${name}`]));
}

function fromBody(pointers: Record<string, string>): Expressions {
  return Object.fromEntries(
    Object.entries(pointers).map(([name, pointer]) => [name, `$response.body#${pointer}`]),
  );
}

function toLinks(targets: Place[], known: Expressions): Json {
  return Object.fromEntries(
    targets.map(({ operation }) => {
      const names = parameterNames(operation);
      const parameters = Object.entries(known).filter(([name]) => names.includes(name));
      return [operation.operationId, toLink(operation.operationId, Object.fromEntries(parameters))];
    }),
  );
}

function toLink(operationId: string, parameters: Expressions): Json {
  return { operationId, parameters };
}

function parameterNames({ parameters = [] }: Operation): string[] {
  return parameters.map(({ name }) => name);
}
