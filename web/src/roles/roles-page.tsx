import type { Role } from '@claviger/sdk';
import { useState } from 'react';
import { useCan } from '../session/session';
import { Badge } from '../ui/badge';
import { Button } from '../ui/button';
import { RowMenu } from '../ui/menu';
import { onDemand } from '../ui/on-demand';
import { Card, PageHeader } from '../ui/page';
import { type Column, Table } from '../ui/table';
import { PermissionMatrix } from './permission-matrix';
import styles from './roles-page.module.css';
import { usePermissionsQuery } from './use-permissions';
import { useRolesQuery } from './use-roles';

const NewRole = onDemand(() => import('./role-form').then((module) => module.NewRole));
const EditRole = onDemand(() => import('./role-form').then((module) => module.EditRole));
const DeleteRole = onDemand(() => import('./delete-role').then((module) => module.DeleteRole));
const RoleDialog = onDemand(() => import('./role-dialog').then((module) => module.RoleDialog));

/** What is being done, and with which role. */
type Doing = { what: 'create'; from?: Role } | { what: 'edit' | 'delete' | 'look'; role: Role };

/** The organization's roles: who has them, and what each permits. */
export function Component() {
  const can = useCan();
  const roles = useRolesQuery();
  const [doing, setDoing] = useState<Doing>();
  const stop = () => setDoing(undefined);
  const mayManage = can('roles:manage');
  return (
    <>
      <PageHeader
        title="Roles"
        actions={
          mayManage && (
            <Button variant="primary" onClick={() => setDoing({ what: 'create' })}>
              New role
            </Button>
          )
        }
      >
        Every user and every service account has exactly one role. It decides what they may do.
      </PageHeader>
      <Table
        label="Roles"
        columns={columnsFor(mayManage, can, setDoing)}
        paged={{ ...roles, isStale: false, previous: undefined, next: undefined }}
        rows={roles.data}
        rowKey={({ key }) => key}
        empty={null}
      />
      <Matrix roles={roles.data} />
      {doing?.what === 'create' && <NewRole from={doing.from} onClose={stop} />}
      {doing?.what === 'edit' && <EditRole role={doing.role} onClose={stop} />}
      {doing?.what === 'delete' && <DeleteRole role={doing.role} onClose={stop} />}
      {doing?.what === 'look' && <RoleDialog role={doing.role} onClose={stop} />}
    </>
  );
}

function Matrix({ roles }: { roles: Role[] | undefined }) {
  const { data: permissions } = usePermissionsQuery();
  if (!roles || !permissions) return null;
  return (
    <Card title="What each role permits">
      <PermissionMatrix roles={roles} permissions={permissions} />
    </Card>
  );
}

function columnsFor(
  mayManage: boolean,
  can: (permission: string) => boolean,
  act: (doing: Doing) => void,
): Column<Role>[] {
  return [
    {
      key: 'name',
      header: 'Role',
      primary: true,
      cell: (role) => (
        <>
          {role.name}
          {role.description && <div className={styles.description}>{role.description}</div>}
        </>
      ),
    },
    { key: 'key', header: 'Key', cell: ({ key }) => <code>{key}</code> },
    {
      key: 'kind',
      header: 'Kind',
      cell: ({ builtIn }) =>
        builtIn ? <Badge>Built-in</Badge> : <Badge tone="accent">Custom</Badge>,
    },
    { key: 'memberCount', header: 'Members', align: 'end', cell: ({ memberCount }) => memberCount },
    {
      key: 'menu',
      header: 'Actions',
      hiddenHeader: true,
      cell: (role) => (
        <RowMenu
          label={`Actions for ${role.name}`}
          actions={[
            { label: 'See what it permits', onSelect: () => act({ what: 'look', role }) },
            // Nobody changes a role that can do more than they.
            mayManage &&
              !role.builtIn &&
              role.permissions.every(can) && {
                label: 'Edit',
                onSelect: () => act({ what: 'edit', role }),
              },
            mayManage && {
              label: 'Copy as a new role',
              onSelect: () => act({ what: 'create', from: role }),
            },
            mayManage &&
              !role.builtIn && {
                label: 'Delete',
                danger: true,
                onSelect: () => act({ what: 'delete', role }),
              },
          ]}
        />
      ),
    },
  ];
}
