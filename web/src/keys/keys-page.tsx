import type { Key, ServiceAccount } from '@claviger/sdk';
import { KeyRound, Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link, useParams } from 'react-router';
import { api } from '../api/client';
import { usePages } from '../api/use-pages';
import { useSearchFilters } from '../api/use-search-filters';
import { useServiceAccount } from '../service-accounts/use-service-account';
import { useCan } from '../session/session';
import { StatusBadge } from '../ui/badge';
import { Button } from '../ui/button';
import { StatusSelect } from '../ui/status-select';
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
  const { serviceAccountId = '' } = useParams();
  const query = useServiceAccount(serviceAccountId);
  const { data: account, error } = query;
  if (account) return <Keys account={account} />;
  return error ? <ProblemNotice error={error} retry={query} /> : <Loading />;
}

function Keys({ account }: { account: ServiceAccount }) {
  const [isCreating, setCreating] = useState(false);
  const [shown, setShown] = useState<NewToken | null>(null);
  const create = useCan()('keys:manage') && (
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
      <KeyTable account={account} create={create} onToken={setShown} />
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

function KeyTable({
  account,
  create,
  onToken,
}: {
  account: ServiceAccount;
  create: ReactNode;
  onToken: (token: NewToken) => void;
}) {
  const { id: serviceAccountId, organizationId, name } = account;
  const filters = useSearchFilters();
  const query = {
    status: STATUSES.find((one) => one === filters.get('status')),
    sort: SORTS.find((one) => one === filters.get('sort')),
  };
  const paged = usePages(
    ['organizations', organizationId, 'service-accounts', serviceAccountId, 'keys', query],
    (after, signal) =>
      api.keys.list({ organizationId, serviceAccountId, ...query, after }, { signal }),
  );
  return (
    <>
      <Toolbar>
        <StatusSelect
          statuses={STATUSES}
          value={filters.get('status')}
          onChange={(status) => filters.set({ status })}
        />
      </Toolbar>
      <Table
        label={`Keys of ${name}`}
        columns={columns((key) => (
          <KeyActions account={account} apiKey={key} onToken={onToken} />
        ))}
        paged={paged}
        rows={paged.page?.data}
        rowKey={({ id }) => id}
        sort={filters.get('sort') || '-createdAt'}
        onSort={(sort) => filters.set({ sort })}
        empty={
          <EmptyState icon={<KeyRound aria-hidden />} title="No keys here" action={create}>
            <p>Without a key that works, nobody can call the API as {name}.</p>
          </EmptyState>
        }
      />
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

function columns(actions: (key: Key) => ReactNode): Column<Key>[] {
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
