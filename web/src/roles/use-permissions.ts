import type { OrganizationPermission } from '@claviger/sdk';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { api } from '../api/client';
import { useCan, useOrganization } from '../session/session';
import { capitalized } from '../ui/capitalized';

/** The query of every permission that a role can grant, built-in and registered, with its sentence. */
export function usePermissionsQuery(): UseQueryResult<OrganizationPermission[]> {
  const { id } = useOrganization();
  const can = useCan();
  return useQuery({
    queryKey: ['organizations', id, 'permissions'],
    queryFn: async ({ signal }) => {
      const permissions: OrganizationPermission[] = [];
      const pages = api.organizationPermissions.list(
        { organizationId: id, limit: 200 },
        { signal },
      );
      for await (const permission of pages) permissions.push(permission);
      return permissions;
    },
    enabled: can('roles:read'),
  });
}

/** The permissions of one resource. */
export interface PermissionGroup {
  /** What stands before the colon: `service-accounts`. */
  resource: string;
  /** The same in words: `Service accounts`. */
  title: string;
  /** False when the organization has registered them for an API of its own. */
  builtIn: boolean;
  permissions: OrganizationPermission[];
}

/** Permissions by resource, our own first; resources and permissions stay in the order of the list. */
export function groupPermissions(
  permissions: readonly OrganizationPermission[],
): PermissionGroup[] {
  const groups = new Map<string, PermissionGroup>();
  for (const one of permissions) {
    const resource = one.permission.split(':')[0] ?? one.permission;
    const group = groups.get(resource) ?? {
      resource,
      title: one.builtIn ? capitalized(resource.replaceAll('-', ' ')) : resource,
      builtIn: one.builtIn,
      permissions: [],
    };
    group.permissions.push(one);
    groups.set(resource, group);
  }
  return [...groups.values()].sort((one, other) => Number(other.builtIn) - Number(one.builtIn));
}
