import { MAX_ACCESS_TOKEN_LENGTH } from '../auth/access-token.js';
import { ID_SUFFIX_LENGTH, idPattern, type IdPrefix } from '../crypto/id.js';
import { MAX_TOKEN_LENGTH, TOKEN_PATTERN } from '../crypto/token.js';
import { MAX_ADDRESS_LENGTH } from '../http/address.js';
import { BODY_LIMIT } from '../http/body-parser.js';
import { CURSOR_PATTERN, MAX_CURSOR_LENGTH, MAX_LIMIT } from '../http/pagination.js';
import { NAME_PATTERN, STORABLE_PATTERN } from '../http/text-patterns.js';
import { MAX_TIMESTAMP_LENGTH } from '../http/timestamp.js';
import { BASE64URL, MAX_MEMBER_LENGTH } from '../keys/public-jwk.js';
import { MAX_CLIENT_IP } from '../oauth/introspection.dto.js';
import { MAX_PERMISSION_LENGTH, PERMISSION_NAME } from '../permissions/permission-name.js';
import { ROLE_KEY } from '../roles/roles.dto.js';

/**
 * What the fields of answers are bounded by. What a request may say is documented where it is checked, but for what a look-up
 * decides; and for fields without a decorator of their own in the document, which would put them before others. Generated clients
 * take some in that order.
 */

type Json = Record<string, unknown>;

const INT32_MAX = 2 ** 31 - 1;
/** All permissions, built-in and registered, that an organization can have, and room for more built-in ones. */
const MAX_PERMISSIONS = 600;

/** Kinds of ids that answers show in a field `id`. */
const SHOWN_IDS: readonly IdPrefix[] = ['org', 'usr', 'sa', 'key', 'ses', 'inv', 'evt', 'req'];

/** What an id of one of these kinds is bounded by. */
export function id(...prefixes: IdPrefix[]): { maxLength: number; pattern: string } {
  const longest = Math.max(...prefixes.map(({ length }) => length));
  return { maxLength: longest + 1 + ID_SUFFIX_LENGTH, pattern: idPattern(...prefixes) };
}

/** Words of people, and of those who call. */
const text = (maxLength: number) => ({ maxLength, pattern: STORABLE_PATTERN });
const base64url = (length: number) => ({
  maxLength: length,
  pattern: `^[A-Za-z0-9_-]{${length}}$`,
});
const upTo = (maxItems: number) => ({ maxItems });
const whole = (minimum: number, maximum: number) => ({ minimum, maximum });
const words = (maxLength: number) => ({ maxLength, pattern: '^[!-~]+(?: [!-~]+)*$' });
/** An optional parameter under `/oauth`: without a value it counts as left out (RFC 6749 section 3.2). */
const orEmpty = ({ pattern, ...rest }: { maxLength: number; pattern: string }) => ({
  ...rest,
  pattern: `^(?:${pattern.slice(1, -1)})?$`,
});

/** A number of a public key. */
const number = (maxLength: number) => ({ maxLength, pattern: BASE64URL.source });

const HASH = { maxLength: 64, pattern: '^[0-9a-f]{64}$' };
const ADDRESS = { maxLength: MAX_ADDRESS_LENGTH, pattern: '^[0-9a-f:.]+$' };
const CHAIN = { maxLength: 30, pattern: `${idPattern('org')}|^system$` };
const CODE = { maxLength: 64, pattern: '^[a-z0-9_]+$' };
const COUNT = whole(0, Number.MAX_SAFE_INTEGER);
const JOSE_NAME = { maxLength: 16, pattern: '^[A-Za-z0-9-]+$' };
const JWT = {
  maxLength: MAX_ACCESS_TOKEN_LENGTH,
  pattern: String.raw`^eyJ[\w-]+\.[\w-]+\.[\w-]+$`,
};
const KEY_OF_ROLE = { maxLength: 63, pattern: ROLE_KEY.source };
const PERMISSION = { maxLength: MAX_PERMISSION_LENGTH, pattern: PERMISSION_NAME.source };
const TOKEN = { maxLength: MAX_TOKEN_LENGTH, pattern: TOKEN_PATTERN };
const UNIX_SECONDS = whole(0, 253_402_300_799);
const URI = { maxLength: 2_048, pattern: '^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$' };
const UUID = { maxLength: 36, pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$' };
/** Of OAuth metadata: a list of a few words. */
const VOCABULARY = upTo(64);
const WORD = { maxLength: 128, pattern: '^[!-~]+$' };

/** By the name of the field; `name[]` are the items of a list, `name{}` the values of a map. `Schema.name` goes before `name`. */
const FIELDS: Readonly<Record<string, Json>> = {
  access_token: JWT,
  action: { maxLength: 64, pattern: '^[a-z_.]+$' },
  after: { maxLength: MAX_CURSOR_LENGTH, pattern: CURSOR_PATTERN },
  allowedCidrs: upTo(64),
  'allowedCidrs[]': { maxLength: 43, pattern: '^[0-9a-f:.]+/[0-9]{1,3}$' },
  aud: { ...URI, maxItems: 10 },
  'aud[]': URI,
  chain: CHAIN,
  client: WORD,
  client_id: id('sa'),
  code: CODE,
  data: upTo(MAX_LIMIT),
  description: text(1_000),
  detail: text(8_192),
  documentationUrl: { maxLength: 2_000 },
  email: { format: 'email', maxLength: 254 },
  error: CODE,
  error_description: text(8_192),
  errors: upTo(50),
  exp: UNIX_SECONDS,
  hash: HASH,
  iat: UNIX_SECONDS,
  instance: UUID,
  ip: ADDRESS,
  iss: URI,
  issuer: URI,
  jwks_uri: URI,
  key: KEY_OF_ROLE,
  keyId: id('key'),
  kid: base64url(43),
  'labels{}': text(256),
  lastUsedIp: ADDRESS,
  link: URI,
  maxKeyLifetimeSeconds: whole(3_600, 315_360_000),
  maxKeysPerServiceAccount: whole(1, 100),
  message: text(200),
  method: { maxLength: 16, pattern: '^[!-~]+$' },
  name: text(100),
  obfuscatedToken: { maxLength: 16, pattern: '^(?:[a-z][a-z0-9]{1,10}_)?…[0-9A-Za-z]{0,4}$' },
  organizationId: id('org'),
  organization_id: id('org'),
  path: text(512),
  permission: PERMISSION,
  permissions: upTo(MAX_PERMISSIONS),
  'permissions[]': PERMISSION,
  pointer: { maxLength: 512, format: 'json-pointer' },
  previousHash: HASH,
  purpose: text(1_000),
  reason: text(256),
  replacedById: id('key'),
  requestId: id('req'),
  requestsPerMinute: whole(1, 1_000_000),
  required: text(4_096),
  rotatedFromId: id('key'),
  route: { maxLength: 256, pattern: '^[/][!-~]*$' },
  serviceAccountId: id('sa'),
  service_documentation: URI,
  signature: base64url(86),
  sub: id('sa'),
  systems: upTo(32),
  'systems[]': text(100),
  title: text(200),
  token: TOKEN,
  userAgent: text(256),
  userId: id('usr'),
  username: text(100),
  'violated-policies': upTo(1),
  'violated-policies[]': WORD,
  x: base64url(43),
  y: base64url(43),

  'AuditActorDto.id': id('usr', 'sa'),
  'AuditEvent.permission': WORD,
  'AuditEvent.status': whole(100, 599),
  'AuditEvent.targets': upTo(16),
  'AuditTargetDto.id': WORD,
  'AuditTargetDto.name': text(254),
  'AuditTargetDto.type': { maxLength: 32, pattern: '^[a-zA-Z]+$' },
  'CreatedBy.id': id('usr', 'sa'),
  'Introspection.jti': { maxLength: 36, pattern: '^[0-9a-z_-]+$' },
  'Introspection.scope': words(MAX_PERMISSIONS * (MAX_PERMISSION_LENGTH + 1)),
  'KeyUsagePage.keys': upTo(3),
  'KeyUsageRow.ip': { maxLength: MAX_ADDRESS_LENGTH, pattern: '^(?:[0-9a-f:.]+|other|unknown)$' },
  'KeyUsageRow.route': { maxLength: 256, pattern: String.raw`^[!-~]+ (?:\*|/.*)$` },
  'MeAccessToken.id': UUID,
  'MeAccessToken.scope': upTo(MAX_PERMISSIONS),
  'MeAccessToken.scope[]': PERMISSION,
  'PublicKey.alg': JOSE_NAME,
  'PublicKey.crv': JOSE_NAME,
  'PublicKey.e': number(MAX_MEMBER_LENGTH.e),
  'PublicKey.n': number(MAX_MEMBER_LENGTH.n),
  'PublicKey.x': number(MAX_MEMBER_LENGTH.x),
  'PublicKey.y': number(MAX_MEMBER_LENGTH.y),
  'Problem.instance': { maxLength: 64, pattern: '^urn:claviger:request:[0-9a-z_]*$' },
  'Problem.type': { maxLength: 128 },
  'ServiceAccountUsage.data': upTo(90),
  // As many as an administrator makes in a hurry.
  'SigningKeyList.data': {},
  'SignedCheckpointDto.key': base64url(43),
  'SignedTombstoneDto.key': base64url(43),
  'TokenAnswer.expires_in': whole(1, 3_600),
  'TokenAnswer.scope': words(MAX_ACCESS_TOKEN_LENGTH),
  'UserCreatedBy.id': id('usr', 'sa'),
};

/**
 * What requests say besides what is documented where it is checked: names of things, which no thing has unless they look so, and
 * what a body as a whole bounds.
 */
const INPUT_FIELDS: Readonly<Record<string, Json>> = {
  'allowedCidrs[]': { maxLength: 64, pattern: '^[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?$' },
  backupOwnerId: id('usr'),
  client_assertion: orEmpty({ ...JWT, maxLength: BODY_LIMIT }),
  client_assertion_type: orEmpty(words(BODY_LIMIT)),
  client_ip: orEmpty({
    maxLength: MAX_CLIENT_IP,
    pattern: String.raw`^[0-9A-Fa-f:.]+(?:%[^\u0000]*)?$`,
  }),
  client_id: orEmpty({ ...id('sa'), maxLength: BODY_LIMIT }),
  client_secret: { maxLength: BODY_LIMIT },
  grant_type: words(BODY_LIMIT),
  currentPassword: text(1_024),
  ownerId: id('usr'),
  'permissions[]': PERMISSION,
  required_scope: orEmpty(words(4_000)),
  'resource[]': { maxLength: 500, pattern: URI.pattern },
  role: KEY_OF_ROLE,
  scope: orEmpty(words(8_000)),
  'systems[]': { maxLength: 100, pattern: NAME_PATTERN },
  token: TOKEN,
  token_type_hint: text(BODY_LIMIT),
  'IntrospectionInput.token': text(BODY_LIMIT),
  'LoginInput.email': text(254),
  'LoginInput.password': text(1_024),
  'ReauthenticationInput.password': text(1_024),
  'RevocationInput.token': text(BODY_LIMIT),
};

const QUERY_PARAMETERS: Readonly<Record<string, Json>> = {
  action: text(64),
  actor: text(64),
  key: text(64),
  requestId: text(64),
  target: text(64),
};

const PATH_PARAMETERS: Readonly<Record<string, Json>> = {
  eventId: id('evt'),
  invitationId: id('inv'),
  keyId: id('key'),
  organizationId: id('org'),
  permission: PERMISSION,
  roleKey: KEY_OF_ROLE,
  serviceAccountId: id('sa'),
  sessionId: id('ses'),
  userId: id('usr'),
};

/** What a kind of ids is told by: the example of the field. */
const EXAMPLE_ID = new RegExp(`^(${SHOWN_IDS.join('|')})_[0-9a-z]{${ID_SUFFIX_LENGTH}}$`);

/** Adds bounds to the fields of all schemas that do not state them themselves. Changes them where they are. */
export function boundSchemas(schemas: Json): void {
  for (const [name, schema] of Object.entries(schemas)) bound(schema as Json, name, '');
}

/** Adds bounds to the parameters of an operation. Changes them where they are. */
export function boundParameters(parameters: { in: string; name: string; schema?: Json }[]): void {
  for (const { in: place, name, schema } of parameters) {
    if (schema === undefined) continue;
    if (place === 'path') fill(schema, PATH_PARAMETERS[name]);
    if (place === 'query') fill(schema, QUERY_PARAMETERS[name]);
    boundKind(schema);
  }
}

function bound(schema: Json, owner: string, field: string): void {
  fill(
    schema,
    owner.endsWith('Input') ? inputBounds(owner, field) : boundsOf(schema, owner, field),
  );
  boundKind(schema);
  for (const [name, property] of Object.entries(
    (schema.properties ?? {}) as Record<string, Json>,
  )) {
    bound(property, owner, name);
  }
  for (const choice of (schema.oneOf ?? []) as Json[]) bound(choice, owner, field);
  if (schema.items !== undefined) bound(schema.items as Json, owner, `${field}[]`);
  const values = schema.additionalProperties;
  if (typeof values === 'object' && values !== null) bound(values as Json, owner, `${field}{}`);
}

function inputBounds(owner: string, field: string): Json | undefined {
  return INPUT_FIELDS[`${owner}.${field}`] ?? INPUT_FIELDS[field];
}

function boundsOf(schema: Json, owner: string, field: string): Json | undefined {
  const own = FIELDS[`${owner}.${field}`];
  if (own !== undefined) return own;
  if (field.endsWith('_supported')) return VOCABULARY;
  if (field.endsWith('_supported[]')) return WORD;
  if (field.endsWith('_endpoint')) return URI;
  const kind = field === 'id' ? EXAMPLE_ID.exec(String(schema.example))?.[1] : undefined;
  return kind === undefined ? FIELDS[field] : id(kind as IdPrefix);
}

/** What is the same for all fields of a kind, whatever they are called. */
function boundKind(schema: Json): void {
  if (isOf(schema, 'integer')) {
    fill(schema, COUNT);
    schema.format ??= Number(schema.maximum) > INT32_MAX ? 'int64' : 'int32';
  }
  if (schema.format === 'date-time') fill(schema, { maxLength: MAX_TIMESTAMP_LENGTH });
  if (schema.format === 'date') fill(schema, { maxLength: 10 });
}

const KINDS: Readonly<Record<string, string[]>> = {
  string: ['maxLength', 'pattern', 'format'],
  integer: ['minimum', 'maximum'],
  array: ['maxItems'],
};

/** Only what the kind of the schema has, and what it does not say itself. */
function fill(schema: Json, bounds: Json | undefined): void {
  if (schema.enum !== undefined) return;
  for (const [kind, names] of Object.entries(KINDS)) {
    if (!isOf(schema, kind)) continue;
    for (const name of names) {
      if (bounds?.[name] !== undefined) schema[name] ??= bounds[name];
    }
  }
}

function isOf({ type }: Json, kind: string): boolean {
  return [type].flat().includes(kind);
}
