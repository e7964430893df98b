import type { Organization } from '@claviger/sdk';
import { useCan, useMe } from '../session/session';
import { StatusBadge } from '../ui/badge';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { Card, Fact, Facts, PageHeader } from '../ui/page';
import { Time } from '../ui/time';
import { DangerZone } from './danger-zone';
import { lifetimeText } from './lifetime';
import { SettingsForm } from './settings-form';
import { useSettings } from './use-settings';

/** The organization itself: its name, its limits, its end. */
export function Component() {
  const query = useSettings();
  const { data: organization, error } = query;
  return (
    <>
      <PageHeader title="Organization">
        Its name, and the limits that hold for all its keys and people.
      </PageHeader>
      {organization ? (
        <Settings organization={organization} />
      ) : error ? (
        <ProblemNotice error={error} retry={query} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Settings({ organization }: { organization: Organization }) {
  const can = useCan();
  const { instanceAdministrator } = useMe();
  const isSuspended = organization.status === 'suspended';
  return (
    <>
      <Card title="About">
        <About organization={organization} />
      </Card>
      <Card title="Name and limits">
        {can('organization:manage') && !isSuspended ? (
          <SettingsForm organization={organization} />
        ) : (
          <Limits organization={organization} />
        )}
      </Card>
      <DangerZone
        organization={organization}
        mayDelete={can('organization:delete') && !isSuspended}
        maySuspend={instanceAdministrator}
      />
    </>
  );
}

function About({
  organization: { id, status, createdAt, updatedAt },
}: {
  organization: Organization;
}) {
  return (
    <Facts>
      <Fact label="Status">
        <StatusBadge status={status} />
      </Fact>
      <Fact label="Id">
        <code>{id}</code>
      </Fact>
      <Fact label="Created">
        <Time at={createdAt} />
      </Fact>
      <Fact label="Changed">
        <Time at={updatedAt} />
      </Fact>
    </Facts>
  );
}

function Limits({ organization: { name, settings } }: { organization: Organization }) {
  return (
    <Facts>
      <Fact label="Name">{name}</Fact>
      <Fact label="Keys per service account">At most {settings.maxKeysPerServiceAccount}</Fact>
      <Fact label="Longest life of a key">{lifetimeText(settings.maxKeyLifetimeSeconds)}</Fact>
      <Fact label="Requests per minute">At most {settings.requestsPerMinute}</Fact>
    </Facts>
  );
}
