import type { ReactNode } from 'react';
import type { SearchFilters } from '../api/use-search-filters';
import { Button } from '../ui/button';
import { EmptyState } from '../ui/page';
import { SearchBox } from '../ui/search-box';
import { SelectBox } from '../ui/select';
import { StatusSelect } from '../ui/status-select';
import { Toolbar } from '../ui/table';
import { useRoles } from './use-roles';

/** Search, status and role above a list of those who have roles: `search`, `status` and `role` in the address. */
export function ListFilters({
  filters,
  searchLabel,
  statuses,
}: {
  filters: SearchFilters;
  searchLabel: string;
  statuses: readonly string[];
}) {
  const roles = useRoles();
  return (
    <Toolbar>
      <SearchBox
        label={searchLabel}
        value={filters.get('search')}
        onSearch={(search) => filters.set({ search })}
      />
      <StatusSelect
        statuses={statuses}
        value={filters.get('status')}
        onChange={(status) => filters.set({ status })}
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

/** In place of the list when the {@link ListFilters} leave nothing. */
export function NoMatch({
  filters,
  title,
  icon,
}: {
  filters: SearchFilters;
  title: string;
  icon: ReactNode;
}) {
  return (
    <EmptyState
      icon={icon}
      title={title}
      action={
        <Button onClick={() => filters.set({ search: '', status: '', role: '' })}>
          Clear the filters
        </Button>
      }
    />
  );
}
