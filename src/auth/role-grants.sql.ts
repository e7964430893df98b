import { HOLD_REGISTERED } from './permissions.js';

const KEYS = HOLD_REGISTERED.map((key) => `'${key}'`).join(', ');

/**
 * What `rolePermissions` needs to know of a role `r`, as a text[]: its own list, or for owners and
 * administrators all that the organization has registered. The subquery runs for these alone.
 */
export const ROLE_GRANTS = `CASE WHEN r.built_in AND r.key IN (${KEYS})
  THEN ARRAY(SELECT p.permission FROM registered_permissions p WHERE p.organization_id = r.organization_id ORDER BY p.permission)
  ELSE r.permissions END`;
