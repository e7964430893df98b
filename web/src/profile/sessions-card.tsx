import type { Session } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { usePages } from '../api/use-pages';
import { Badge } from '../ui/badge';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { ProblemNotice } from '../ui/notice';
import { Card } from '../ui/page';
import { type Column, Table } from '../ui/table';
import { Time } from '../ui/time';
import { toast } from '../ui/toast';
import { deviceName } from './device';
import { endOtherSessions, endSession, MY_SESSIONS, type Progress } from './my-sessions';

/** Where the person is logged in, and how to end it. */
export function SessionsCard() {
  const sessions = usePages(MY_SESSIONS, (after, signal) =>
    api.sessions.list({ after, limit: 20 }, { signal }),
  );
  const rows = sessions.page?.data;
  const mayHaveOthers = Boolean(
    rows?.some(({ current }) => !current) || sessions.next || sessions.previous,
  );
  return (
    <Card title="Sessions" actions={mayHaveOthers && <EndOthers />}>
      <p>
        Where you are logged in. A session ends after 12 hours, or 30 minutes without use. End what
        you do not know, and change your password then.
      </p>
      <Table
        label="Your sessions"
        columns={COLUMNS}
        paged={sessions}
        rows={rows}
        rowKey={({ id }) => id}
        empty={<p>You have no sessions.</p>}
      />
    </Card>
  );
}

const COLUMNS: Column<Session>[] = [
  {
    key: 'device',
    header: 'Device',
    primary: true,
    cell: ({ userAgent, current }) => (
      <>
        <span title={userAgent ?? undefined}>{deviceName(userAgent)}</span>{' '}
        {current && <Badge tone="accent">This session</Badge>}
      </>
    ),
  },
  { key: 'ip', header: 'Address', cell: ({ ip }) => ip },
  { key: 'lastSeenAt', header: 'Last seen', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
  { key: 'createdAt', header: 'Started', cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    key: 'end',
    header: 'End the session',
    hiddenHeader: true,
    cell: (session) => !session.current && <EndSession session={session} />,
  },
];

function EndSession({ session: { id, userAgent } }: { session: Session }) {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const device = deviceName(userAgent);
  const end = useMutation({
    mutationFn: () => endSession(id),
    onSuccess: async () => {
      setAsking(false);
      toast(`The session of ${device} has ended`);
      await queries.invalidateQueries({ queryKey: MY_SESSIONS });
    },
  });
  return (
    <>
      <Button aria-label={`End the session of ${device}`} onClick={() => setAsking(true)}>
        End
      </Button>
      <ConfirmDialog
        open={isAsking}
        title={`End the session of ${device}?`}
        confirm="End the session"
        danger
        busy={end.isPending}
        error={end.error}
        onConfirm={() => end.mutate()}
        onCancel={() => setAsking(false)}
      >
        <p>That device is logged out at once.</p>
      </ConfirmDialog>
    </>
  );
}

function EndOthers() {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [progress, setProgress] = useState<Progress>();
  const end = useMutation({
    mutationFn: () => endOtherSessions(setProgress),
    onSuccess: (ended) => {
      setAsking(false);
      toast(ended === 1 ? 'The other session has ended' : `${ended} other sessions have ended`);
    },
    onSettled: () => {
      setProgress(undefined);
      return queries.invalidateQueries({ queryKey: MY_SESSIONS });
    },
  });
  return (
    <>
      <Button onClick={() => setAsking(true)}>End all others</Button>
      <ConfirmDialog
        open={isAsking}
        title="End all other sessions?"
        confirm="End all others"
        danger
        busy={end.isPending}
        onConfirm={() => end.mutate()}
        onCancel={() => setAsking(false)}
      >
        <p>You are logged out everywhere but here.</p>
        <p role="status">
          {progress && `Ending session ${progress.done + 1} of ${progress.total}…`}
        </p>
        <ProblemNotice error={end.error} />
      </ConfirmDialog>
    </>
  );
}
