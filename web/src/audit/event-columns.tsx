import type { AuditEvent } from '@claviger/sdk';
import { Filter, Info } from 'lucide-react';
import { Link } from 'react-router';
import { Badge, StatusBadge } from '../ui/badge';
import { ForeignText } from '../ui/foreign-text';
import { RowMenu } from '../ui/menu';
import type { Column } from '../ui/table';
import { Time } from '../ui/time';
import styles from './audit.module.css';
import type { AuditFilters } from './filters';
import { What, Who } from './who';

/** What the rows of the trail need of their page. */
export interface RowContext {
  /** Where an event's details are. */
  linkTo: (eventId: string) => string;
  onOpen: (eventId: string) => void;
  onFilter: (filter: Partial<AuditFilters>) => void;
  /** Whether it came in while the page was looking. */
  isNew: (event: AuditEvent) => boolean;
}

/** The columns of the trail. */
export function eventColumns(context: RowContext): Column<AuditEvent>[] {
  return [
    {
      key: 'what',
      header: 'What',
      primary: true,
      cell: (event) => (
        <div className={styles.cellLine}>
          <Link to={context.linkTo(event.id)} className={styles.what}>
            <What event={event} />
          </Link>
          {context.isNew(event) && <Badge tone="accent">New</Badge>}
        </div>
      ),
    },
    {
      key: 'occurredAt',
      header: 'When',
      cell: (event) => (
        <span className={styles.whole}>
          <Time at={event.occurredAt} />
        </span>
      ),
    },
    { key: 'actor', header: 'Who', cell: (event) => <Who event={event} /> },
    { key: 'outcome', header: 'Outcome', cell: (event) => <Outcome event={event} /> },
    {
      key: 'ip',
      header: 'Address',
      cell: ({ ip }) => <span className={ip?.includes(':') ? '' : styles.whole}>{ip ?? '–'}</span>,
    },
    {
      key: 'menu',
      header: 'Actions',
      hiddenHeader: true,
      cell: (event) => <EventMenu event={event} context={context} />,
    },
  ];
}

function Outcome({ event: { outcome, status, reason } }: { event: AuditEvent }) {
  return (
    <>
      <div className={styles.cellLine}>
        <StatusBadge status={outcome} /> {status}
      </div>
      {reason && (
        <div className={styles.second}>
          <ForeignText>{reason}</ForeignText>
        </div>
      )}
    </>
  );
}

function EventMenu({
  event: { id, sequence, actor, requestId },
  context: { onOpen, onFilter },
}: {
  event: AuditEvent;
  context: RowContext;
}) {
  return (
    <RowMenu
      label={`Actions for event ${sequence}`}
      actions={[
        { label: 'Details', icon: <Info aria-hidden />, onSelect: () => onOpen(id) },
        actor.id !== null && {
          label: 'Only this account',
          icon: <Filter aria-hidden />,
          onSelect: () => onFilter({ actor: actor.id! }),
        },
        requestId !== null && {
          label: 'Only this request',
          icon: <Filter aria-hidden />,
          onSelect: () => onFilter({ requestId }),
        },
      ]}
    />
  );
}
