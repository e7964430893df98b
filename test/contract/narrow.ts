/**
 * Of what a request depends on there is nothing in a schema: which roles and permissions exist, who may own an account, that an
 * expiry lies ahead, which addresses a key is used from. Some of it is narrowed to what is right everywhere, the rest left out.
 */
const NARROWED: Readonly<Record<string, object>> = {
  role: { type: 'string', enum: ['viewer'] },
  permissions: {
    type: 'array',
    minItems: 1,
    maxItems: 1,
    items: { type: 'string', enum: ['users:read'] },
  },
};
export const LEFT_OUT = [
  ...['ownerId', 'backupOwnerId', 'expiresAt', 'publicKey', 'allowedCidrs', 'documentationUrl'],
  ...['settings', 'attributes', 'requestsPerMinute', 'overlapSeconds', 'labels', 'systems'],
];

/** A schema of openapi.json. */
export interface Schema {
  properties?: Record<string, object>;
  required?: string[];
}

/** Changes the schema of a request so that what it allows can be done. */
export function narrow({ properties = {}, required = [] }: Schema): void {
  for (const name of LEFT_OUT) if (!required.includes(name)) delete properties[name];
  if (!required.includes('key')) delete properties.key; // the first key of an account, in detail
  for (const [name, schema] of Object.entries(NARROWED)) {
    if (properties[name] !== undefined) properties[name] = schema;
  }
}
