/** A sentence on every group of operations, in the order in which the documentation shows them. */
export const TAGS: ReadonlyMap<string, string> = new Map([
  ['Set-up', 'The first administrator of a new server.'],
  ['Sessions', 'How people log in and out. Service accounts have keys instead.'],
  ['Invitations', 'How people join an organization.'],
  ['Password resets', 'How people who forgot their password get a new one.'],
  ['Me', 'The caller itself: who it is, and what its credential may do.'],
  ['Organizations', 'The tenants: everything else belongs to one.'],
  ['Users', 'The people of an organization.'],
  ['Roles', 'What people and service accounts may do: roles and the permissions in them.'],
  [
    'Permissions',
    'What roles can grant: built-in ones, and those that an organization registers for its APIs.',
  ],
  ['Service accounts', 'The technical users that integrations authenticate as.'],
  ['Keys', 'The API tokens of service accounts: shown once, rotated, revoked.'],
  ['Governance', 'Naming, review, rotation, least privilege and ownership of service accounts.'],
  ['Audit trail', 'Who did what and when: every request, in a chain that shows tampering.'],
  ['Exports', 'Data of an organization as CSV or NDJSON.'],
  ['OAuth', 'Introspection and revocation of tokens for other services (RFC 7662, RFC 7009).'],
  ['Instance', 'The server as a whole, for its administrators.'],
  ['Health', 'Probes and metrics.'],
]);
