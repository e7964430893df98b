import { Form } from '@base-ui/react/form';
import type { Key, ServiceAccount } from '@claviger/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { SelectField } from '../ui/select';
import { ProblemNotice } from '../ui/notice';
import { RecentUsage } from './recent-usage';
import { type NewToken, newToken } from './token-dialog';

const HOUR = 3_600;
const OVERLAPS = [
  { value: '0', label: 'Not at all: it ends at once' },
  { value: String(HOUR), label: '1 hour' },
  { value: String(24 * HOUR), label: '1 day' },
  { value: String(3 * 24 * HOUR), label: '3 days' },
  { value: String(7 * 24 * HOUR), label: '7 days' },
];

/** Makes a successor of a key; both work until the overlap is over. */
export function RotateDialog({
  account,
  apiKey,
  onClose,
  onRotated,
}: {
  account: ServiceAccount;
  apiKey: Key;
  onClose: () => void;
  onRotated: (token: NewToken) => void;
}) {
  const { organizationId, id: serviceAccountId } = account;
  const queryClient = useQueryClient();
  const [overlap, setOverlap] = useState(String(24 * HOUR));
  const rotate = useMutation({
    mutationFn: async () => {
      const key = await api.keys.rotate({
        organizationId,
        serviceAccountId,
        keyId: apiKey.id,
        body: { overlapSeconds: Number(overlap) },
      });
      onRotated(newToken(key, account));
    },
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: ['organizations', organizationId, 'service-accounts'],
      }),
  });
  return (
    <Dialog open onClose={onClose} title={`Rotate ${apiKey.name}`}>
      <Form errors={fieldErrors(rotate.error)} onFormSubmit={() => rotate.mutate()}>
        <DialogBody>
          <p>
            A new key with a new token takes its place. Give the integration the new token while the
            old one still works.
          </p>
          <ProblemNotice error={rotate.error} />
          <RecentUsage account={account} apiKey={apiKey} />
          <SelectField
            name="overlapSeconds"
            label="The old key works on for"
            hint="Never beyond its own expiry. You can revoke it earlier."
            choices={OVERLAPS}
            value={overlap}
            onChange={setOverlap}
          />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={rotate.isPending}>
            Rotate
          </Button>
        </DialogFooter>
      </Form>
    </Dialog>
  );
}
