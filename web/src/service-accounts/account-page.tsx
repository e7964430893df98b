import type { AuditEvent, ServiceAccount } from '@claviger/sdk';
import { useQuery } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { Link, useNavigate, useParams } from 'react-router';
import { api } from '../api/client';
import { useCan, useOrganization } from '../session/session';
import { StatusBadge } from '../ui/badge';
import { ButtonLink } from '../ui/button';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { Card, Fact, Facts, PageHeader } from '../ui/page';
import { type Column, Table } from '../ui/table';
import { Time } from '../ui/time';
import { AccountActions } from './account-actions';
import styles from './account-page.module.css';
import { UsageChart } from './usage-chart';
import { useServiceAccount } from './use-service-account';

const RECENT = 10;

/** One service account: what it is for, who answers for it, how it is used. */
export function Component() {
  const { serviceAccountId = '' } = useParams();
  const query = useServiceAccount(serviceAccountId);
  const { data: account, error } = query;
  const navigate = useNavigate();
  const can = useCan();
  if (!account) return error ? <ProblemNotice error={error} retry={query} /> : <Loading />;
  return (
    <>
      <PageHeader
        name={account.name}
        title={
          <span className={styles.title}>
            {account.name} <StatusBadge status={account.status} />
          </span>
        }
        actions={
          <>
            {can('keys:read') && (
              <ButtonLink to="keys">
                <KeyRound aria-hidden /> Manage keys
              </ButtonLink>
            )}
            <AccountActions
              account={account}
              onDeleted={() => navigate('..', { relative: 'path', replace: true })}
            />
          </>
        }
      >
        {account.description || account.purpose}
      </PageHeader>
      <div className={styles.columns}>
        <About account={account} />
        {can('keys:read') && <UsageChart account={account} />}
      </div>
      {can('audit:read') && <RecentRequests account={account} />}
    </>
  );
}

function About({ account }: { account: ServiceAccount }) {
  const { role, owner, backupOwner, purpose, systems, documentationUrl, createdAt, createdBy } =
    account;
  return (
    <Card title="About">
      <Facts>
        <Fact label="Role">{role.name}</Fact>
        <Fact label="Owner">
          {owner?.name ?? 'None'}
          {backupOwner && <span className={styles.muted}> · backup {backupOwner.name}</span>}
        </Fact>
        {purpose && <Fact label="Purpose">{purpose}</Fact>}
        {systems.length > 0 && <Fact label="Systems">{systems.join(', ')}</Fact>}
        {documentationUrl && (
          <Fact label="Documentation">
            <a href={documentationUrl} target="_blank" rel="noreferrer">
              {documentationUrl}
            </a>
          </Fact>
        )}
        <Fact label="Keys">
          {useCan()('keys:read') ? (
            <Link to="keys">{account.keyCount} usable</Link>
          ) : (
            `${account.keyCount} usable`
          )}
        </Fact>
        <Fact label="Last used">
          <Time at={account.lastUsedAt} />
        </Fact>
        <Fact label="Created">
          <Time at={createdAt} /> by {createdBy.name}
        </Fact>
        <Fact label="Id">
          <code>{account.id}</code>
        </Fact>
      </Facts>
    </Card>
  );
}

function RecentRequests({ account }: { account: ServiceAccount }) {
  const { id: organizationId } = useOrganization();
  const recent = useQuery({
    queryKey: [
      'organizations',
      organizationId,
      'audit-events',
      { actor: account.id, limit: RECENT },
    ],
    queryFn: async ({ signal }) =>
      await api.auditEvents.list(
        { organizationId, actor: account.id, action: 'http.request', limit: RECENT },
        { signal },
      ),
  });
  return (
    <Card
      title="Recent requests"
      actions={<Link to={`../audit?actor=${account.id}`}>All on the audit trail</Link>}
    >
      <Table
        label="Recent requests"
        paged={{ ...recent, isStale: false, next: undefined, previous: undefined }}
        rows={recent.data?.data}
        rowKey={({ id }) => id}
        empty={<p className={styles.muted}>It has made no request yet.</p>}
        columns={RECENT_COLUMNS}
      />
    </Card>
  );
}

const RECENT_COLUMNS: Column<AuditEvent>[] = [
  {
    key: 'route',
    header: 'Request',
    primary: true,
    cell: ({ method, route }) => (
      <code>
        {method} {route ?? '—'}
      </code>
    ),
  },
  {
    key: 'outcome',
    header: 'Outcome',
    cell: ({ outcome }) => <StatusBadge status={outcome} />,
  },
  { key: 'status', header: 'Status', align: 'end', cell: ({ status }) => status },
  { key: 'key', header: 'Key', cell: ({ key }) => key?.name ?? '—' },
  { key: 'ip', header: 'From', cell: ({ ip }) => ip ?? '—' },
  { key: 'time', header: 'When', cell: ({ occurredAt }) => <Time at={occurredAt} /> },
];
