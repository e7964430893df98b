import type { IssuedInvitation, User } from '@claviger/sdk';
import { useState } from 'react';
import { Download, Plus, Upload, Users } from 'lucide-react';
import { api } from '../api/client';
import { usePages } from '../api/use-pages';
import { useSearchFilters } from '../api/use-search-filters';
import { ListFilters, NoMatch } from '../roles/list-filters';
import { useCan, useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { onDemand } from '../ui/on-demand';
import { PageHeader } from '../ui/page';
import { Table } from '../ui/table';
import type { StepName } from './user-steps';
import { queryOf, STATUSES } from './query';
import { useUserColumns } from './user-columns';

const ExportUsers = onDemand(() => import('./export-users').then((module) => module.ExportUsers));
const ImportDialog = onDemand(() =>
  import('./import-dialog').then((module) => module.ImportDialog),
);
const InvitationDialog = onDemand(() =>
  import('./invitation-dialog').then((module) => module.InvitationDialog),
);
const InvitePanel = onDemand(() => import('./invite-panel').then((module) => module.InvitePanel));
const RolePanel = onDemand(() => import('./role-panel').then((module) => module.RolePanel));
const UserStep = onDemand(() => import('./user-step').then((module) => module.UserStep));

/** What is being done, and with whom. */
export type Doing =
  | { what: 'add' | 'import' | 'export' }
  | { what: 'role' | StepName; user: User }
  | { what: 'link'; invitation: IssuedInvitation };

/** The organization's users: people who may work here, and who are invited to. */
export function Component() {
  const { id: organizationId } = useOrganization();
  const filters = useSearchFilters();
  const [doing, setDoing] = useState<Doing>();
  const query = queryOf(filters);
  const paged = usePages(['organizations', organizationId, 'users', query], (after, signal) =>
    api.users.list({ organizationId, ...query, after }, { signal }),
  );
  const columns = useUserColumns(paged.page?.data, setDoing);
  return (
    <>
      <PageHeader title="Users" actions={<Actions onDo={setDoing} />}>
        People who may work in this organization. What they may do is in their role.
      </PageHeader>
      <ListFilters {...{ filters }} searchLabel="Search by name or e-mail" statuses={STATUSES} />
      <Table
        label="Users"
        columns={columns}
        paged={paged}
        rows={paged.page?.data}
        rowKey={({ id }) => id}
        sort={query.sort ?? 'createdAt'}
        onSort={(sort) => filters.set({ sort })}
        empty={<NoMatch filters={filters} title="No user matches" icon={<Users aria-hidden />} />}
      />
      {doing && <Open doing={doing} setDoing={setDoing} query={query} />}
    </>
  );
}

function Actions({ onDo }: { onDo: (doing: Doing) => void }) {
  const can = useCan();
  return (
    <>
      {can('data:export') && (
        <Button onClick={() => onDo({ what: 'export' })}>
          <Download aria-hidden /> Export
        </Button>
      )}
      {can('users:manage') && (
        <>
          <Button onClick={() => onDo({ what: 'import' })}>
            <Upload aria-hidden /> Import
          </Button>
          <Button variant="primary" onClick={() => onDo({ what: 'add' })}>
            <Plus aria-hidden /> Invite
          </Button>
        </>
      )}
    </>
  );
}

/** The one dialog that is open. It belongs to the page: a row may leave the list by what is done with it. */
function Open({
  doing,
  setDoing,
  query,
}: {
  doing: Doing;
  setDoing: (doing: Doing | undefined) => void;
  query: ReturnType<typeof queryOf>;
}) {
  const onClose = () => setDoing(undefined);
  const onInvited = (invitation: IssuedInvitation) => setDoing({ what: 'link', invitation });
  switch (doing.what) {
    case 'add':
      return <InvitePanel {...{ onClose, onInvited }} />;
    case 'import':
      return <ImportDialog onClose={onClose} />;
    case 'export':
      return <ExportUsers query={query} onClose={onClose} />;
    case 'link':
      return <InvitationDialog invitation={doing.invitation} onClose={onClose} />;
    case 'role':
      return <RolePanel user={doing.user} onClose={onClose} />;
    default:
      return <UserStep step={doing.what} user={doing.user} {...{ onClose, onInvited }} />;
  }
}
