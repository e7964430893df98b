import type { Organization } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { refreshMe } from '../session/session';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Card } from '../ui/page';
import { toast } from '../ui/toast';
import styles from './danger-zone.module.css';
import { useShowChanged } from './use-settings';

/** What cannot be done by mistake: suspending an organization, and deleting it. */
export function DangerZone({
  organization,
  mayDelete,
  maySuspend,
}: {
  organization: Organization;
  mayDelete: boolean;
  maySuspend: boolean;
}) {
  if (!mayDelete && !maySuspend) return null;
  return (
    <Card title="Danger zone">
      {maySuspend && <Suspension organization={organization} />}
      {mayDelete && <Deletion organization={organization} />}
    </Card>
  );
}

function Row({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <div className={styles.row}>
      <div className={styles.words}>
        <h3>{title}</h3>
        <p>{text}</p>
      </div>
      {children}
    </div>
  );
}

function Suspension({ organization: { id, name, status } }: { organization: Organization }) {
  const [isAsking, setAsking] = useState(false);
  const showChanged = useShowChanged();
  const isSuspended = status === 'suspended';
  const change = useMutation({
    mutationFn: () => api.organizations[isSuspended ? 'resume' : 'suspend']({ organizationId: id }),
    onSuccess: async (changed) => {
      setAsking(false);
      toast(isSuspended ? `${name} works again` : `${name} is suspended`);
      await showChanged(changed);
    },
  });
  const title = isSuspended ? 'Resume the organization' : 'Suspend the organization';
  return (
    <Row
      title={title}
      text={
        isSuspended
          ? 'Its keys work again, and its people can make changes.'
          : 'Its keys are refused, and its people can only look at this page, until it is resumed.'
      }
    >
      <Button onClick={() => setAsking(true)}>{isSuspended ? 'Resume' : 'Suspend'}</Button>
      <ConfirmDialog
        open={isAsking}
        title={isSuspended ? `Resume ${name}?` : `Suspend ${name}?`}
        confirm={isSuspended ? 'Resume' : 'Suspend'}
        danger={!isSuspended}
        busy={change.isPending}
        error={change.error}
        onConfirm={() => change.mutate()}
        onCancel={() => setAsking(false)}
      >
        <p>
          {isSuspended
            ? 'Requests with its keys are accepted again from now on.'
            : 'Requests with its keys are refused from now on. Nothing is lost: you can resume it at any time.'}
        </p>
      </ConfirmDialog>
    </Row>
  );
}

function Deletion({ organization: { id, name } }: { organization: Organization }) {
  const [isAsking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const deletion = useDeletion(id, name);
  const close = () => {
    setAsking(false);
    setTyped('');
    deletion.reset();
  };
  return (
    <Row
      title="Delete the organization"
      text="Its keys stop working at once, and its people can no longer open it. This cannot be undone."
    >
      <Button variant="danger" onClick={() => setAsking(true)}>
        Delete…
      </Button>
      <ConfirmDialog
        open={isAsking}
        title={`Delete ${name}?`}
        confirm="Delete the organization"
        danger
        busy={deletion.isPending}
        disabled={typed.trim() !== name}
        error={deletion.error}
        onConfirm={() => deletion.mutate()}
        onCancel={close}
      >
        <p>
          All its service accounts, keys, users and roles are gone. Requests with its keys are
          refused from now on. Its audit trail is kept on the server.
        </p>
        <TextField
          name="confirmation"
          label={`Type the name of the organization: ${name}`}
          value={typed}
          onValueChange={setTyped}
        />
      </ConfirmDialog>
    </Row>
  );
}

function useDeletion(organizationId: string, name: string) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => api.organizations.delete({ organizationId }),
    onSuccess: async () => {
      toast(`${name} is deleted`);
      await refreshMe();
      await navigate('/', { replace: true });
      queryClient.removeQueries({ queryKey: ['organizations', organizationId] });
    },
  });
}
