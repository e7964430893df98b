import type { Key, ServiceAccount } from '@claviger/sdk';
import { Ban, Pencil, RotateCw } from 'lucide-react';
import { useState } from 'react';
import { useCan } from '../session/session';
import { RowMenu } from '../ui/menu';
import { onDemand } from '../ui/on-demand';
import type { NewToken } from './token-dialog';
import { useBeyond } from './use-beyond';

const RotateDialog = onDemand(() =>
  import('./rotate-dialog').then((module) => module.RotateDialog),
);
const EditKeyPanel = onDemand(() =>
  import('./edit-key-panel').then((module) => module.EditKeyPanel),
);
const RevokeDialog = onDemand(() =>
  import('./revoke-dialog').then((module) => module.RevokeDialog),
);

/** The ⋯ of a key, with the dialogs that it opens. */
export function KeyActions({
  account,
  apiKey,
  onToken,
}: {
  account: ServiceAccount;
  apiKey: Key;
  /** Called with the token of a successor. */
  onToken: (token: NewToken) => void;
}) {
  const [doing, setDoing] = useState<'rotate' | 'edit' | 'revoke'>();
  const { name, status, type } = apiKey;
  const isUsable = status === 'active' || status === 'expiring';
  const mayManage = useCan()('keys:manage') && isUsable;
  const isBeyond = useBeyond(account, apiKey).length > 0;
  const stop = () => setDoing(undefined);
  return (
    <>
      <RowMenu
        label={`Actions for key ${name}`}
        actions={[
          // A key with a public key is rotated by whoever has the new pair: through the API.
          mayManage &&
            !isBeyond &&
            status === 'active' &&
            type === 'token' && {
              label: 'Rotate',
              icon: <RotateCw aria-hidden />,
              onSelect: () => setDoing('rotate'),
            },
          mayManage && {
            label: 'Edit',
            icon: <Pencil aria-hidden />,
            onSelect: () => setDoing('edit'),
          },
          mayManage && {
            label: 'Revoke',
            icon: <Ban aria-hidden />,
            danger: true,
            onSelect: () => setDoing('revoke'),
          },
        ]}
      />
      {doing === 'rotate' && (
        <RotateDialog
          account={account}
          apiKey={apiKey}
          onClose={stop}
          onRotated={(token) => {
            stop();
            onToken(token);
          }}
        />
      )}
      {doing === 'edit' && <EditKeyPanel account={account} apiKey={apiKey} onClose={stop} />}
      {doing === 'revoke' && <RevokeDialog account={account} apiKey={apiKey} onClose={stop} />}
    </>
  );
}
