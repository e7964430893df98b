import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { usePages } from '../api/use-pages';
import { useCan, useMe, useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { onDemand } from '../ui/on-demand';
import { EmptyState } from '../ui/page';
import { Table } from '../ui/table';
import styles from './audit.module.css';
import { type Chain, organizationChain, serverChain } from './chain';
import { eventColumns } from './event-columns';
import { FilterBar } from './filter-bar';
import { type AuditFilters, NO_FILTERS, useFilters } from './filters';
import { TrailHeader } from './trail-header';
import { type LiveTail, useLiveTail } from './use-live-tail';

const EventPanel = onDemand(() => import('./event-panel').then((module) => module.EventPanel));

/**
 * `audit` and `audit/:eventId`: the organization's trail, or with `?trail=server` the server's own; for instance
 * administrators who may not read the organization's, always the server's.
 */
export function Component() {
  const organization = useOrganization();
  const [search] = useSearchParams();
  const mayReadOwn = useCan()('audit:read');
  const isServer =
    useMe().instanceAdministrator && (!mayReadOwn || search.get('trail') === 'server');
  const chain = isServer ? serverChain : organizationChain(organization);
  return <Trail key={isServer ? 'server' : organization.id} {...{ chain, isServer }} />;
}

function Trail({ chain, isServer }: { chain: Chain; isServer: boolean }) {
  const { eventId } = useParams();
  const [filters, changeFilters] = useFilters();
  const [liveSince, setLiveSince] = useState<number>();
  const { linkTo, open, close, filterBy } = useAddresses();
  const isLive = liveSince !== undefined;
  const paged = usePages(
    [...chain.queryKey, filters],
    (after, signal) => chain.list({ ...filters, limit: 50, after }, signal),
    { enabled: !isLive },
  );
  const tail = useLiveTail(chain, filters, useMe().id, liveSince);
  const rows = (isLive ? tail.events : undefined) ?? paged.page?.data;
  return (
    <>
      <TrailHeader
        {...{ chain, filters, isServer, isLive }}
        onLive={(isOn) => setLiveSince(isOn ? Date.now() : undefined)}
      />
      <FilterBar filters={filters} onChange={changeFilters} events={rows ?? []} />
      {isLive && <LiveLine tail={tail} />}
      <Table
        label="Events"
        columns={eventColumns({ linkTo, onOpen: open, onFilter: filterBy, isNew: tail.isNew })}
        paged={isLive ? tail.paged : paged}
        rows={rows}
        rowKey={({ id }) => id}
        empty={<Empty onClear={() => changeFilters(NO_FILTERS)} />}
      />
      {eventId && (
        <EventPanel
          key={eventId}
          {...{ chain, eventId }}
          known={rows?.find(({ id }) => id === eventId)}
          onClose={close}
          onFilter={filterBy}
        />
      )}
    </>
  );
}

/** Where the page's parts are; filters stay in the address, whichever event is open. */
function useAddresses() {
  const base = `/organizations/${useOrganization().id}/audit`;
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const query = search.size === 0 ? '' : `?${search}`;
  const linkTo = (id: string) => `${base}/${id}${query}`;
  return {
    linkTo,
    open: (id: string) => void navigate(linkTo(id)),
    close: () => void navigate(base + query),
    filterBy: (filter: Partial<AuditFilters>) => {
      const next = new URLSearchParams(search);
      for (const [name, value] of Object.entries(filter)) if (value) next.set(name, value);
      void navigate(`${base}?${next}`);
    },
  };
}

function LiveLine({ tail }: { tail: LiveTail }) {
  if (tail.isPaused) return <Paused onResume={tail.resume} />;
  return (
    <>
      <div className={styles.live}>
        <span className={styles.dot} aria-hidden />
        <span aria-live="polite">{liveText(tail)}</span>
        <span>Reading the trail is an event too: your own requests for it are left out here.</span>
      </div>
      {tail.hasGap && (
        <Notice tone="warning">
          More came in than can be shown here. Stop live to see everything.
        </Notice>
      )}
    </>
  );
}

function liveText({ events, newCount }: LiveTail): string {
  if (events === undefined) return 'Looking…';
  if (newCount === 0) return 'Watching. Nothing new so far.';
  return `${newCount} new ${newCount === 1 ? 'event' : 'events'}.`;
}

function Paused({ onResume }: { onResume: () => void }) {
  return (
    <Notice role="status" title="Live tail paused">
      <p>Nobody has touched this page for ten minutes, so it stopped looking for new events.</p>
      <Button className={styles.resume} onClick={onResume}>
        Resume
      </Button>
    </Notice>
  );
}

function Empty({ onClear }: { onClear: () => void }) {
  return (
    <EmptyState
      icon={<ScrollText aria-hidden />}
      title="No events"
      action={<Button onClick={onClear}>Clear all filters</Button>}
    >
      Nothing on this trail fits the filters.
    </EmptyState>
  );
}
