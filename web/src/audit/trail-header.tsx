import { FileDown, Radio, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useCan, useMe } from '../session/session';
import { Button } from '../ui/button';
import { SelectBox } from '../ui/select';
import { onDemand } from '../ui/on-demand';
import { PageHeader } from '../ui/page';
import type { Chain } from './chain';
import type { AuditFilters } from './filters';

const ExportTrail = onDemand(() => import('./export-trail').then((module) => module.ExportTrail));
const VerifyDialog = onDemand(() =>
  import('./verify-dialog').then((module) => module.VerifyDialog),
);

const TRAILS = [
  { value: '', label: 'This organization' },
  { value: 'server', label: 'Server', note: 'Logins, set-up, strangers' },
];

/** The head of the trail: which one it is, and what can be done with all of it. */
export function TrailHeader({
  chain,
  filters,
  isServer,
  isLive,
  onLive,
}: {
  chain: Chain;
  filters: AuditFilters;
  isServer: boolean;
  isLive: boolean;
  onLive: (isOn: boolean) => void;
}) {
  const [dialog, setDialog] = useState<'export' | 'verify'>();
  const close = () => setDialog(undefined);
  return (
    <>
      <PageHeader
        title="Audit trail"
        actions={
          <>
            <TrailChoice isServer={isServer} />
            <Button onClick={() => onLive(!isLive)}>
              <Radio aria-hidden /> {isLive ? 'Stop live' : 'Live'}
            </Button>
            <Button onClick={() => setDialog('export')}>
              <FileDown aria-hidden /> Export
            </Button>
            <Button onClick={() => setDialog('verify')}>
              <ShieldCheck aria-hidden /> Verify trail
            </Button>
          </>
        }
      >
        {isServer
          ? 'What belongs to no organization: logins, set-up, requests of strangers.'
          : 'Every request and every change in this organization. Nobody can change it unnoticed.'}
      </PageHeader>
      {dialog === 'export' && <ExportTrail {...{ chain, filters }} onClose={close} />}
      {dialog === 'verify' && <VerifyDialog chain={chain} onClose={close} />}
    </>
  );
}

/** For instance administrators, who may read the server's own trail too. */
function TrailChoice({ isServer }: { isServer: boolean }) {
  const { instanceAdministrator } = useMe();
  const mayReadOwn = useCan()('audit:read');
  const [, setSearch] = useSearchParams();
  if (!instanceAdministrator || !mayReadOwn) return null;
  return (
    <SelectBox
      label="Trail of"
      choices={TRAILS}
      value={isServer ? 'server' : ''}
      onChange={(trail) => setSearch(trail ? { trail } : {}, { replace: true })}
    />
  );
}
