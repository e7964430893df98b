import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { useSettled } from '../api/use-search-filters';
import { RoleField } from '../roles/role-field';
import { useOrganization } from '../session/session';
import { TextAreaField, TextField } from '../ui/field';
import { type Person, UserField } from '../users/user-field';
import { nameHints } from './name-hints';

/** What people fill in about a service account. */
export interface AccountDraft {
  name: string;
  role: string;
  owner: Person | null;
  description: string;
}

/** The fields that creating and editing share. `own`: what it is already. */
export function AccountFields({
  draft,
  onChange,
  own,
}: {
  draft: AccountDraft;
  onChange: (draft: AccountDraft) => void;
  own?: AccountDraft;
}) {
  const set = (change: Partial<AccountDraft>) => onChange({ ...draft, ...change });
  return (
    <>
      <TextField
        name="name"
        label="Name"
        required
        maxLength={100}
        placeholder="Salesforce → user sync"
        value={draft.name}
        onValueChange={(name) => set({ name })}
        hint={<NameHint name={draft.name} ownName={own?.name} />}
      />
      <RoleField
        hint="Choose the one that permits the least of what is enough."
        value={draft.role}
        onChange={(role) => set({ role })}
        current={own?.role}
      />
      <UserField
        name="ownerId"
        label="Owner"
        hint="Who answers for it. It goes on working when they leave."
        value={draft.owner}
        onChange={(owner) => set({ owner })}
        known={own?.owner}
      />
      <TextAreaField
        name="description"
        label="Description"
        optional
        maxLength={1000}
        value={draft.description}
        onChange={(event) => set({ description: event.target.value })}
      />
    </>
  );
}

/** While the name is typed: is it taken, and will anybody know in a year what it means? */
function NameHint({ name, ownName }: { name: string; ownName?: string }) {
  const { id: organizationId } = useOrganization();
  const typed = useSettled(name);
  const { data } = useQuery({
    queryKey: ['organizations', organizationId, 'service-accounts', 'named', typed],
    queryFn: async ({ signal }) =>
      await api.serviceAccounts.list({ organizationId, search: typed, limit: 50 }, { signal }),
    enabled: typed.length > 0,
  });
  const same = (one: string) => one.toLowerCase() === name.trim().toLowerCase();
  const isTaken = data?.data.some((one) => same(one.name)) && !(ownName && same(ownName));
  const hints = isTaken ? ['There is a service account with this name already.'] : nameHints(name);
  return (
    <>{hints.length > 0 ? hints.join(' ') : 'Every request is on the audit trail under it.'}</>
  );
}
