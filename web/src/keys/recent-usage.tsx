import type { Key, ServiceAccount } from '@claviger/sdk';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { Notice } from '../ui/notice';
import { Fact, Facts } from '../ui/page';
import { Time } from '../ui/time';

const DAYS = 7;

type Usage = NonNullable<Awaited<ReturnType<typeof api.keys.usage>>['keys']>[number];

const RELATIONS: Readonly<Record<Usage['relation'], string>> = {
  this: 'This key',
  predecessor: 'The key that it replaced',
  successor: 'The key that replaced it',
};

/** How often a key was used of late, beside those that it replaced or was replaced by: whether it can go. */
export function RecentUsage({
  account,
  apiKey,
  tone = 'info',
}: {
  account: ServiceAccount;
  apiKey: Key;
  /** How it stands out that the key is used. */
  tone?: 'info' | 'warning';
}) {
  const { organizationId, id: serviceAccountId } = account;
  const { data } = useQuery({
    queryKey: [
      'organizations',
      organizationId,
      'service-accounts',
      serviceAccountId,
      'usage',
      apiKey.id,
    ],
    queryFn: async ({ signal }) =>
      await api.keys.usage(
        { organizationId, serviceAccountId, keyId: apiKey.id, days: DAYS, limit: 1 },
        { signal },
      ),
  });
  const keys = data?.keys ?? [];
  const isUsed = keys.some(({ relation, requests }) => relation === 'this' && requests > 0);
  return (
    <Notice
      tone={isUsed ? tone : 'info'}
      title={isUsed ? 'It is still used' : <LastUse apiKey={apiKey} />}
    >
      {keys.length > 0 && (
        <Facts>
          {keys.map((key) => (
            <Fact key={key.id} label={RELATIONS[key.relation]}>
              <Requests usage={key} apiKey={apiKey} />
            </Fact>
          ))}
        </Facts>
      )}
    </Notice>
  );
}

/** Also from before these days. */
function LastUse({ apiKey: { lastUsedAt } }: { apiKey: Key }) {
  if (lastUsedAt === null) return 'It has never been used';
  return (
    <>
      It was last used <Time at={lastUsedAt} />
    </>
  );
}

function Requests({ usage, apiKey }: { usage: Usage; apiKey: Key }) {
  const { relation, name, requests, lastUsedAt } = usage;
  return (
    <>
      {relation !== 'this' && `${name}: `}
      {requests.toLocaleString('en')} {requests === 1 ? 'request' : 'requests'} in {DAYS} days
      {lastUsedAt && (
        <>
          , the last one <Time at={lastUsedAt} />
        </>
      )}
      {relation === 'this' && apiKey.lastUsedIp && (
        <>
          {' '}
          from <code>{apiKey.lastUsedIp}</code>
        </>
      )}
    </>
  );
}
