import type { ServiceAccount } from '@claviger/sdk';
import { Bot, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '../api/client';
import { usePages } from '../api/use-pages';
import { type SearchFilters, useSearchFilters } from '../api/use-search-filters';
import type { NewToken } from '../keys/token-dialog';
import { ListFilters, NoMatch } from '../roles/list-filters';
import { useCan, useOrganization } from '../session/session';
import { StatusBadge } from '../ui/badge';
import { Button } from '../ui/button';
import { onDemand } from '../ui/on-demand';
import { EmptyState, PageHeader } from '../ui/page';
import { type Column, Table } from '../ui/table';
import { Time } from '../ui/time';
import { AccountActions } from './account-actions';

const CreatePanel = onDemand(() => import('./create-panel').then((module) => module.CreatePanel));
const TokenDialog = onDemand(() =>
  import('../keys/token-dialog').then((module) => module.TokenDialog),
);

/** The organization's service accounts: who they are, and what can be done with them. */
export function Component() {
  const { id: organizationId } = useOrganization();
  const filters = useSearchFilters();
  const [isCreating, setCreating] = useState(false);
  const [shown, setShown] = useState<NewToken | null>(null);
  const query = queryOf(filters);
  const paged = usePages(
    ['organizations', organizationId, 'service-accounts', query],
    (after, signal) => api.serviceAccounts.list({ organizationId, ...query, after }, { signal }),
  );
  const create = useCan()('service-accounts:manage') && (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> Create service account
    </Button>
  );
  return (
    <>
      <PageHeader title="Service accounts" actions={create}>
        Technical users with which other systems call your API. They belong to the organization, not
        to a person.
      </PageHeader>
      <ListFilters {...{ filters }} searchLabel="Search by name" statuses={STATUSES} />
      <Table
        label="Service accounts"
        columns={COLUMNS}
        paged={paged}
        rows={paged.page?.data}
        rowKey={({ id }) => id}
        sort={filters.get('sort') || 'name'}
        onSort={(sort) => filters.set({ sort: sort === 'name' ? '' : sort })}
        empty={
          filters.has('search', 'status', 'role') ? (
            <NoMatch
              filters={filters}
              title="No service account matches"
              icon={<Bot aria-hidden />}
            />
          ) : (
            <Empty action={create} />
          )
        }
      />
      {isCreating && (
        <CreatePanel
          onClose={() => setCreating(false)}
          onCreated={(token) => {
            setCreating(false);
            setShown(token);
          }}
        />
      )}
      {shown && <TokenDialog shown={shown} onDone={() => setShown(null)} />}
    </>
  );
}

const COLUMNS: Column<ServiceAccount>[] = [
  {
    key: 'name',
    header: 'Name',
    primary: true,
    sortable: true,
    cell: ({ id, name }) => <Link to={id}>{name}</Link>,
  },
  { key: 'role', header: 'Role', cell: ({ role }) => role.name },
  { key: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  {
    key: 'keyCount',
    header: 'Keys',
    align: 'end',
    cell: (account) => <KeyCount account={account} />,
  },
  {
    key: 'lastUsedAt',
    header: 'Last used',
    sortable: true,
    cell: ({ lastUsedAt }) => <Time at={lastUsedAt} />,
  },
  { key: 'owner', header: 'Owner', cell: ({ owner }) => owner?.name ?? 'None' },
  {
    key: 'actions',
    header: 'Actions',
    hiddenHeader: true,
    cell: (account) => <AccountActions account={account} />,
  },
];

const STATUSES = ['active', 'disabled'] as const;

function KeyCount({ account: { id, keyCount } }: { account: ServiceAccount }) {
  return useCan()('keys:read') ? <Link to={`${id}/keys`}>{keyCount}</Link> : keyCount;
}

type Query = NonNullable<Parameters<typeof api.serviceAccounts.list>[0]>;

/** Only values that the API knows: an address can say anything. */
function queryOf(filters: SearchFilters): Omit<Query, 'organizationId'> {
  const sort = filters.get('sort') as Query['sort'];
  return {
    search: filters.get('search') || undefined,
    role: filters.get('role') || undefined,
    status: STATUSES.find((one) => one === filters.get('status')),
    sort: COLUMNS.some(({ key, sortable }) => sortable && key === sort?.replace(/^-/, ''))
      ? sort
      : undefined,
  };
}

function Empty({ action }: { action: React.ReactNode }) {
  return (
    <EmptyState icon={<Bot aria-hidden />} title="No service accounts yet" action={action}>
      <p>
        A service account is a technical user that never logs in. Give each integration one of its
        own: it gets a role, which says what it may do, and an API token to call with. It keeps
        working when people come and go, and every request is on the audit trail under its name.
      </p>
    </EmptyState>
  );
}
