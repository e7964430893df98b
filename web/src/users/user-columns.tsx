import type { User } from '@claviger/sdk';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { useLacking } from '../roles/use-roles';
import { useCan, useMe, useOrganization } from '../session/session';
import { Badge, StatusBadge } from '../ui/badge';
import { type MenuAction, RowMenu } from '../ui/menu';
import type { Column } from '../ui/table';
import { Time } from '../ui/time';
import type { StepName } from './user-steps';

/** What the menu of a row asks the page to do. */
type Act = (doing: { what: 'role' | StepName; user: User }) => void;

/** The columns of the table of users; `act` is what the row menus do. */
export function useUserColumns(users: readonly User[] | undefined, act: Act): Column<User>[] {
  const me = useMe();
  const mayChange = useMayChange();
  const expired = useExpired(users);
  return [
    {
      key: 'name',
      header: 'Name',
      primary: true,
      sortable: true,
      cell: ({ id, name }) => (
        <>
          {name} {id === me.id && <Badge>You</Badge>}
        </>
      ),
    },
    { key: 'email', header: 'E-mail', sortable: true, cell: ({ email }) => email },
    { key: 'role', header: 'Role', cell: ({ role }) => role.name },
    {
      key: 'status',
      header: 'Status',
      cell: ({ id, status }) => <Status status={status} isExpired={expired.has(id)} />,
    },
    {
      key: 'lastLoginAt',
      header: 'Last login',
      cell: ({ lastLoginAt }) => <Time at={lastLoginAt} />,
    },
    {
      key: 'createdAt',
      header: 'Added',
      sortable: true,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      key: 'menu',
      header: 'Actions',
      hiddenHeader: true,
      cell: (user) =>
        user.id !== me.id &&
        mayChange(user) && (
          <RowMenu label={`Actions for ${user.name}`} actions={actionsFor(user, act)} />
        ),
    },
  ];
}

function Status({ status, isExpired }: { status: User['status']; isExpired: boolean }) {
  if (status === 'invited' && isExpired) return <Badge tone="danger">Invitation expired</Badge>;
  return <StatusBadge status={status} />;
}

function actionsFor(user: User, act: Act): MenuAction[] {
  const on = (what: 'role' | StepName) => () => act({ what, user });
  const role = { label: 'Change role', onSelect: on('role') };
  const remove = { label: 'Remove', danger: true, onSelect: on('remove') };
  switch (user.status) {
    case 'invited':
      return [
        { label: 'Send invitation again', onSelect: on('resend') },
        role,
        { label: 'Revoke invitation', danger: true, onSelect: on('revoke') },
      ];
    case 'disabled':
      return [{ label: 'Enable', onSelect: on('enable') }, role, remove];
    default:
      return [
        role,
        // Whoever has logged in needs no invitation any more.
        user.lastLoginAt === null && { label: 'Invite', onSelect: on('invite') },
        { label: 'Disable', onSelect: on('disable') },
        remove,
      ];
  }
}

/** Nobody changes a user who can do more than they. Where roles are not known, the server says so. */
function useMayChange(): (user: User) => boolean {
  const can = useCan();
  const lacking = useLacking();
  return ({ role }) => can('users:manage') && lacking(role.key).length === 0;
}

/** Who of these users has let an invitation expire; asked only when somebody is invited, of the newest 200. */
function useExpired(users: readonly User[] | undefined): ReadonlySet<string> {
  const { id: organizationId } = useOrganization();
  const { data } = useQuery({
    queryKey: ['organizations', organizationId, 'invitations', 'expired'],
    queryFn: async ({ signal }) => {
      const { data: invitations } = await api.invitations.list(
        { organizationId, status: 'expired', limit: 200 },
        { signal },
      );
      return new Set(invitations.map(({ userId }) => userId));
    },
    enabled: users?.some(({ status }) => status === 'invited') ?? false,
  });
  return data ?? NOBODY;
}

const NOBODY: ReadonlySet<string> = new Set();
