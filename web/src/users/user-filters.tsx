import type { api } from '../api/client';
import type { SearchFilters } from '../api/use-search-filters';
import { useRoles } from '../roles/use-roles';
import { SelectBox } from '../ui/select';
import { SearchBox } from '../ui/search-box';
import { Toolbar } from '../ui/table';

type Query = Parameters<typeof api.users.list>[0];

const STATUSES = ['active', 'invited', 'disabled'] as const;
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

/** Search and filters of the list of users. */
export function UserFilters({ filters }: { filters: SearchFilters }) {
  const roles = useRoles();
  return (
    <Toolbar>
      <SearchBox
        label="Search by name or e-mail"
        value={filters.get('search')}
        onSearch={(search) => filters.set({ search })}
      />
      <SelectBox
        label="Status"
        value={filters.get('status')}
        onChange={(status) => filters.set({ status })}
        choices={[
          { value: '', label: 'Any status' },
          { value: 'active', label: 'Active' },
          { value: 'invited', label: 'Invited' },
          { value: 'disabled', label: 'Disabled' },
        ]}
      />
      {roles && (
        <SelectBox
          label="Role"
          value={filters.get('role')}
          onChange={(role) => filters.set({ role })}
          choices={[
            { value: '', label: 'Any role' },
            ...roles.map(({ key, name }) => ({ value: key, label: name })),
          ]}
        />
      )}
    </Toolbar>
  );
}
