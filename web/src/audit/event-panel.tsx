import type { AuditEvent } from '@claviger/sdk';
import { useQuery } from '@tanstack/react-query';
import { Filter } from 'lucide-react';
import type { ReactNode } from 'react';
import { StatusBadge } from '../ui/badge';
import { Button } from '../ui/button';
import { CopyButton } from '../ui/copy-button';
import { DialogBody, SidePanel } from '../ui/dialog';
import { ForeignText } from '../ui/foreign-text';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { Fact, Facts } from '../ui/page';
import { exactTime, Time } from '../ui/time';
import { actionLabel } from './actions';
import styles from './audit.module.css';
import type { Chain } from './chain';
import type { AuditFilters } from './filters';
import { Changes, Value } from './values';
import { Who } from './who';

/** All of one event. `known`: the event, where the page has it already; it never changes. */
export function EventPanel({
  chain,
  eventId,
  known,
  onClose,
  onFilter,
}: {
  chain: Chain;
  eventId: string;
  known: AuditEvent | undefined;
  onClose: () => void;
  onFilter: (filter: Partial<AuditFilters>) => void;
}) {
  const query = useQuery({
    queryKey: [...chain.queryKey, eventId],
    queryFn: ({ signal }) => chain.get(eventId, signal),
    staleTime: Infinity,
    enabled: known === undefined,
  });
  const event = known ?? query.data;
  return (
    <SidePanel
      open
      onClose={onClose}
      title={event ? actionLabel(event.action) : 'Event'}
      description={event && exactTime(event.occurredAt)}
    >
      <DialogBody>
        <ProblemNotice error={query.error} retry={query} />
        {event ? (
          <EventFacts event={event} onFilter={onFilter} />
        ) : (
          query.error === null && <Loading />
        )}
      </DialogBody>
    </SidePanel>
  );
}

function EventFacts({
  event,
  onFilter,
}: {
  event: AuditEvent;
  onFilter: (filter: Partial<AuditFilters>) => void;
}) {
  return (
    <>
      <Facts>
        <Fact label="Outcome">
          <StatusBadge status={event.outcome} /> {event.status}
        </Fact>
        <Text label="Reason" text={event.reason} />
        <Fact label="When">
          <Time at={event.occurredAt} />
        </Fact>
        <Actor event={event} onFilter={onFilter} />
        <Targets event={event} onFilter={onFilter} />
        <Request event={event} onFilter={onFilter} />
      </Facts>
      {event.changes && (
        <Section title="What changed">
          <Changes changes={event.changes} />
        </Section>
      )}
      {event.details && (
        <Section title="More">
          <Facts>
            {Object.entries(event.details).map(([name, value]) => (
              <Fact key={name} label={name}>
                <Value value={value} />
              </Fact>
            ))}
          </Facts>
        </Section>
      )}
      <Section title="Place in the chain">
        <ChainFacts event={event} />
      </Section>
    </>
  );
}

function Actor({ event, onFilter }: Parameters<typeof EventFacts>[0]) {
  const { actor, key } = event;
  return (
    <Fact label="Done by">
      <Who event={event} />
      {actor.id && (
        <Id
          id={actor.id}
          what="the id of who did it"
          filter="Only this account"
          onFilter={() => onFilter({ actor: actor.id! })}
        />
      )}
      {key && (
        <Id
          id={key.id}
          what="the id of the key"
          filter="Only this key"
          onFilter={() => onFilter({ key: key.id })}
        />
      )}
    </Fact>
  );
}

function Targets({ event: { targets }, onFilter }: Parameters<typeof EventFacts>[0]) {
  return targets.map(({ type, id, name }, index) => (
    <Fact key={index} label={`Done to (${type.replace(/[A-Z]/g, ' $&').toLowerCase()})`}>
      <ForeignText>{name}</ForeignText>
      <Id
        id={id}
        what="the id of what it was done to"
        filter="Only what was done to it"
        onFilter={() => onFilter({ target: id })}
      />
    </Fact>
  ));
}

function Request({ event, onFilter }: Parameters<typeof EventFacts>[0]) {
  const { method, route, path, permission, ip, userAgent, requestId } = event;
  return (
    <>
      <Text label="Permission asked for" text={permission} isCode />
      <Text label="Route" text={route && `${method} ${route}`} isCode />
      <Text label="Path" text={path} isCode />
      <Text label="Address" text={ip} />
      <Text label="User agent" text={userAgent} />
      {requestId && (
        <Fact label="Request">
          <Id
            id={requestId}
            what="the request id"
            filter="Only this request"
            onFilter={() => onFilter({ requestId })}
          />
        </Fact>
      )}
    </>
  );
}

function ChainFacts({ event }: { event: AuditEvent }) {
  return (
    <Facts>
      <Text label="Action" text={event.action} isCode />
      <Fact label="Number">{event.sequence}</Fact>
      <Fact label="Event">
        <Id id={event.id} what="the id of the event" />
      </Fact>
      <Fact label="Previous hash">
        <code>{event.previousHash}</code>
      </Fact>
      <Fact label="Hash">
        <Id id={event.hash} what="the hash" />
      </Fact>
    </Facts>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Text({ label, text, isCode }: { label: string; text: string | null; isCode?: boolean }) {
  if (text === null) return null;
  const foreign = <ForeignText>{text}</ForeignText>;
  return <Fact label={label}>{isCode ? <code>{foreign}</code> : foreign}</Fact>;
}

function Id({
  id,
  what,
  filter,
  onFilter,
}: {
  id: string;
  what: string;
  filter?: string;
  onFilter?: () => void;
}) {
  return (
    <div className={styles.id}>
      <span className={styles.copied}>
        <code>
          <ForeignText>{id}</ForeignText>
        </code>
        <CopyButton text={id} what={what} />
      </span>
      {onFilter && (
        <Button variant="quiet" onClick={onFilter}>
          <Filter aria-hidden /> {filter}
        </Button>
      )}
    </div>
  );
}
