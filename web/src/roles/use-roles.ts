import type { Role } from '@claviger/sdk';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { api } from '../api/client';
import { useCan, useOrganization } from '../session/session';

/** The query of all roles, built-in ones first, for pages that show its error. Asks only for those who may read roles. */
export function useRolesQuery(): UseQueryResult<Role[]> {
  const { id } = useOrganization();
  const can = useCan();
  return useQuery({
    queryKey: ['organizations', id, 'roles'],
    queryFn: async ({ signal }) => {
      const roles: Role[] = [];
      const pages = api.roles.list({ organizationId: id, limit: 200, sort: 'name' }, { signal });
      for await (const role of pages) roles.push(role);
      // Sorting is stable: within each kind the order of the names stays.
      return roles.sort((one, other) => Number(other.builtIn) - Number(one.builtIn));
    },
    enabled: can('roles:read'),
  });
}

/** All roles of the organization, built-in ones first, each kind by name; undefined until they are known. */
export function useRoles(): Role[] | undefined {
  return useRolesQuery().data;
}

/**
 * What a role permits beyond what the person holds: nobody gives that, or changes who has it. `[]` also where roles are
 * not known; the server decides.
 */
export function useLacking(): (roleKey: string) => string[] {
  const roles = useRoles();
  const can = useCan();
  return (roleKey) =>
    roles
      ?.find(({ key }) => key === roleKey)
      ?.permissions.filter((permission) => !can(permission)) ?? [];
}
