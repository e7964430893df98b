import type { api } from '../api/client';
import type { SearchFilters } from '../api/use-search-filters';

type Query = Parameters<typeof api.users.list>[0];

/** What users can be. */
export const STATUSES = ['active', 'invited', 'disabled'] as const;
const SORTS = ['createdAt', '-createdAt', 'name', '-name', 'email', '-email'] as const;

/** What the address asks for. Only values that the API knows: an address can say anything. */
export function queryOf(
  filters: SearchFilters,
): Pick<Query, 'search' | 'status' | 'role' | 'sort'> {
  return {
    search: filters.get('search') || undefined,
    role: filters.get('role') || undefined,
    status: STATUSES.find((one) => one === filters.get('status')),
    sort: SORTS.find((one) => one === filters.get('sort')),
  };
}
