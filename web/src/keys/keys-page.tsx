import type { Key } from '@claviger/sdk';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api } from '../api/client';
import { usePages } from '../api/use-pages';
import { useSearchFilters } from '../api/use-search-filters';
import { useServiceAccount } from '../service-accounts/use-service-account';
import { useCan, useOrganization } from '../session/session';
import { StatusBadge } from '../ui/badge';
import { Button } from '../ui/button';
import { SelectBox } from '../ui/select';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { onDemand } from '../ui/on-demand';
import { EmptyState, PageHeader } from '../ui/page';
import { type Column, Table, Toolbar } from '../ui/table';
import { Time } from '../ui/time';
import { KeyActions } from './key-actions';
import styles from './keys-page.module.css';
import type { NewToken } from './token-dialog';

const CreateKeyPanel = onDemand(() =>
  import('./create-key-panel').then((module) => module.CreateKeyPanel),
);
const TokenDialog = onDemand(() => import('./token-dialog').then((module) => module.TokenDialog));

const STATUSES = ['active', 'expiring', 'expired', 'revoked'] as const;

/** The keys of one service account. */
export function Component() {
  const { id: organizationId } = useOrganization();
  const { serviceAccountId = '' } = useParams();
  const found = useServiceAccount(serviceAccountId);
  const { data: account, error } = found;
  const filters = useSearchFilters();
  const [isCreating, setCreating] = useState(false);
  const [shown, setShown] = useState<NewToken | null>(null);
  const can = useCan();
  const query = {
    status: STATUSES.find((one) => one === filters.get('status')),
    sort: SORTS.find((one) => one === filters.get('sort')),
  };
  const paged = usePages(
    ['organizations', organizationId, 'service-accounts', serviceAccountId, 'keys', query],
    (after, signal) =>
      api.keys.list({ organizationId, serviceAccountId, ...query, after }, { signal }),
  );
  if (!account) return error ? <ProblemNotice error={error} retry={found} /> : <Loading />;
  const create = can('keys:manage') && (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> Create key
    </Button>
  );
  return (
    <>
      <PageHeader title={`Keys of ${account.name}`} actions={create}>
        <Link to=".." relative="path">
          Back to {account.name}
        </Link>
        . Each key is one API token. A lost token is answered by creating another key.
      </PageHeader>
      <Toolbar>
        <SelectBox
          label="Status"
          value={filters.get('status')}
          onChange={(status) => filters.set({ status })}
          choices={[
            { value: '', label: 'Any status' },
            ...STATUSES.map((one) => ({ value: one, label: one[0]!.toUpperCase() + one.slice(1) })),
          ]}
        />
      </Toolbar>
      <Table
        label={`Keys of ${account.name}`}
        columns={columns((key) => (
          <KeyActions account={account} apiKey={key} onToken={setShown} />
        ))}
        paged={paged}
        rows={paged.page?.data}
        rowKey={({ id }) => id}
        sort={filters.get('sort') || '-createdAt'}
        onSort={(sort) => filters.set({ sort })}
        empty={
          <EmptyState icon={<KeyRound aria-hidden />} title="No keys here" action={create}>
            <p>Without a key that works, nobody can call the API as {account.name}.</p>
          </EmptyState>
        }
      />
      {isCreating && (
        <CreateKeyPanel
          account={account}
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

const SORTS = [
  'createdAt',
  '-createdAt',
  'expiresAt',
  '-expiresAt',
  'lastUsedAt',
  '-lastUsedAt',
] as const;

function columns(actions: (key: Key) => React.ReactNode): Column<Key>[] {
  return [
    { key: 'name', header: 'Name', primary: true, cell: ({ name }) => name },
    {
      key: 'token',
      header: 'Token',
      cell: ({ obfuscatedToken }) =>
        obfuscatedToken ? <code>{obfuscatedToken}</code> : 'Public key',
    },
    { key: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    {
      key: 'createdAt',
      header: 'Created',
      sortable: true,
      cell: ({ createdAt, createdBy }) => (
        <>
          <Time at={createdAt} />
          <span className={styles.second}>by {createdBy.name}</span>
        </>
      ),
    },
    {
      key: 'expiresAt',
      header: 'Expires',
      sortable: true,
      cell: ({ expiresAt }) => <Time at={expiresAt} />,
    },
    {
      key: 'lastUsedAt',
      header: 'Last used',
      sortable: true,
      cell: ({ lastUsedAt, lastUsedIp }) => (
        <>
          <Time at={lastUsedAt} />
          {lastUsedIp && <span className={styles.second}>from {lastUsedIp}</span>}
        </>
      ),
    },
    { key: 'actions', header: 'Actions', hiddenHeader: true, cell: actions },
  ];
}
