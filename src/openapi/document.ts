import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { PROOF_SECONDS } from '../auth/proof.js';
import { boundParameters, boundSchemas } from './bounds.js';
import { documentConditions } from './conditions.js';
import { linkOperations } from './links.js';
import { exampleOf } from './examples.js';
import {
  OAUTH_SCHEMAS,
  OAUTH_STATUSES,
  oauthResponseComponents,
  oauthResponseRef,
} from './oauth-shared.js';
import {
  HEADERS,
  headerRef,
  limitHeaders,
  PROBLEM_SCHEMAS,
  responseComponents,
  responseRef,
  STALE_REF,
} from './shared.js';
import { TAGS } from './tags.js';

type Json = Record<string, unknown>;

/** One operation of the document, as far as it is worked on here. */
interface Operation extends Json {
  operationId: string;
  description?: string;
  tags?: string[];
  'x-required-permission'?: string;
  'x-requires-reauthentication'?: boolean;
  security?: unknown[];
  parameters?: { in: string; name: string; schema?: Json }[];
  requestBody?: { content?: Record<string, Json> };
  responses: Record<string, Json>;
}

const VERBS = ['get', 'put', 'post', 'delete', 'patch', 'head'] as const;
const PERMISSION = 'x-required-permission';
const REAUTHENTICATION = 'x-requires-reauthentication';

const DESCRIPTION = `
The API of Claviger: service accounts, their keys, roles and the audit trail.

Send the token of a key as \`Authorization: Bearer …\`. For a session, pages of this server may use the cookie of a login with
\`"cookie": true\` instead; where both are sent the header alone counts, and under \`/oauth\` the cookie never does. Times are RFC 3339 in UTC. Errors are
\`application/problem+json\` (RFC 9457) with a stable \`code\`; under \`/oauth\` they are those of OAuth (RFC 6749). Lists come in pages: give
\`paging.next.after\` as \`after\` to get the next one. Every answer carries \`X-Request-Id\`, under which the
audit trail knows the request.
`.trim();

/**
 * The OpenAPI 3.1 document of the application, complete: shared errors on every operation, the permission of each, an
 * example for every body. Only a build has been through the Swagger plugin, so only from `dist` it describes the fields.
 */
export function buildDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Claviger')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addServer('/', 'This server')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description:
        'The token of a key or of a session, or an access token: a JWT (RFC 9068), whose algorithm, kind, issuer and audience are checked as RFC8725 asks. For `/metrics` what `METRICS_TOKEN` says.',
    })
    .addBasicAuth({
      type: 'http',
      scheme: 'basic',
      description:
        'Under `/oauth` only: the id of a service account and the token of one of its keys, each form-encoded.',
    })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    autoTagControllers: false,
    operationIdFactory: operationIdOf,
  });
  return complete(document);
}

/** `ServiceAccountsController.create` → `serviceAccounts_create`: stable, as client libraries name their methods so. */
export function operationIdOf(controller: string, method: string): string {
  const name = controller.replace(/Controller$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${method}`;
}

/** Adds to a scanned document what is the same for all operations, and puts it into a stable order. */
export function complete(document: OpenAPIObject): OpenAPIObject {
  const schemas = { ...document.components?.schemas, ...PROBLEM_SCHEMAS, ...OAUTH_SCHEMAS };
  const paths = sorted(document.paths as unknown as Record<string, Record<string, Operation>>);
  boundSchemas(schemas);
  const used = new Set<string>();
  for (const [path, item] of Object.entries(paths)) {
    for (const verb of VERBS) {
      const operation = item[verb];
      if (operation === undefined) continue;
      operation.tags?.forEach((tag) => used.add(tag));
      completeOperation(operation, path, verb, schemas);
    }
  }
  linkOperations(paths);
  return {
    openapi: document.openapi,
    info: document.info,
    servers: document.servers,
    tags: [...TAGS]
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      ...document.components,
      headers: sorted(HEADERS),
      responses: { ...responseComponents(), ...oauthResponseComponents() },
      schemas: sorted(schemas),
    },
  } as OpenAPIObject;
}

function completeOperation(operation: Operation, path: string, verb: string, schemas: Json): void {
  documentPermission(operation);
  documentConditions(operation, verb);
  boundParameters(operation.parameters ?? []);
  if (operation[REAUTHENTICATION] === true) operation.responses['401'] = STALE_REF;
  for (const status of sharedStatuses(operation, path, verb)) {
    operation.responses[status] ??= isOAuth(path) ? oauthResponseRef(status) : responseRef(status);
  }
  // Made before it is known which operation it is.
  operation.responses[431] = responseRef(431);
  for (const [status, response] of Object.entries(operation.responses)) {
    if ('$ref' in response) continue;
    const location = status === '201' ? { Location: headerRef('Location') } : {};
    response.headers = {
      'X-Request-Id': headerRef('RequestId'),
      ...(isLimited(operation, path) ? limitHeaders() : {}),
      ...location,
      ...(response.headers as Json | undefined),
    };
    response.description ||= descriptionOf(status);
    addExamples(response.content as Record<string, Json> | undefined, schemas);
  }
  addExamples(operation.requestBody?.content, schemas);
}

/** Public operations say so: without `security: []` a reader would have to guess. */
function documentPermission(operation: Operation): void {
  const permission = operation[PERMISSION];
  if (permission === undefined) {
    operation[PERMISSION] = 'none';
    if (operation.security !== undefined) return;
    operation.security = [];
  }
  const sentence = NEEDS[permission ?? 'none'] ?? `Needs the permission \`${permission}\`.`;
  const needs = operation[REAUTHENTICATION] === true ? `${sentence} ${NEEDS_PROOF}` : sentence;
  operation.description = [operation.description, needs].filter(Boolean).join('\n\n');
}

const NEEDS_PROOF = `Of people it wants a password that was proved in the last ${PROOF_SECONDS / 60} minutes (\`sessions_reauthenticate\`): else 401 \`reauthentication_required\`.`;

const NEEDS: Readonly<Record<string, string>> = {
  none: 'Needs no credential.',
  any: 'Needs any good credential.',
  user: 'Needs the session of a person.',
  serviceAccount: 'Needs the key of a service account.',
  instanceAdministrator: 'Needs the session of an administrator of the whole server.',
};

function sharedStatuses(operation: Operation, path: string, verb: string): number[] {
  if (isOAuth(path)) return OAUTH_STATUSES;
  if (!path.startsWith('/v1')) return path === '/metrics' ? [400, 401, 503] : [400, 503];
  const headers = new Set(
    operation.parameters?.filter((one) => one.in === 'header').map((one) => one.name),
  );
  const isProtected = operation[PERMISSION] !== 'none';
  const takesBody = operation.requestBody !== undefined;
  const isChange = verb !== 'get' && verb !== 'head';
  return [
    400,
    401,
    ...(isProtected ? [403] : []),
    ...(path.includes('{') || !isProtected ? [404] : []),
    ...(isNegotiated(operation) ? [406] : []),
    ...(isChange ? [409] : []),
    ...(headers.has('If-Match') ? [412] : []),
    ...(takesBody ? [413, 415] : []),
    ...(headers.has('Idempotency-Key') ? [422] : []),
    429,
    503,
  ];
}

function isOAuth(path: string): boolean {
  return path.startsWith('/oauth/');
}

function isLimited(operation: Operation, path: string): boolean {
  return (path.startsWith('/v1') || isOAuth(path)) && operation[PERMISSION] !== 'none';
}

/** More than one representation to choose from. */
function isNegotiated({ responses }: Operation): boolean {
  const { content } = responses['200'] ?? {};
  return Object.keys(content ?? {}).length > 1;
}

function addExamples(content: Record<string, Json> | undefined, schemas: Json): void {
  for (const [type, media] of Object.entries(content ?? {})) {
    const byType = media.examples as Record<string, Json> | undefined;
    // Decorators can give a body one set of examples only, whatever its types.
    if (byType?.[type] !== undefined) media.examples = { [type]: byType[type] };
    if (media.example !== undefined || media.examples !== undefined) continue;
    const example = exampleOf((media.schema ?? {}) as Json, schemas);
    if (example !== undefined) media.example = example;
  }
}

function descriptionOf(status: string): string {
  return (
    { '200': 'Done.', '201': 'Made.', '204': 'Done; there is nothing to show.' }[status] ??
    'The answer.'
  );
}

function sorted<T extends object>(source: T): T {
  const entries = Object.entries(source).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries) as T;
}
