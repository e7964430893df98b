import { Combobox } from '@base-ui/react/combobox';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Check, X } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api/client';
import { useSettled } from '../api/use-search-filters';
import { useCan, useMe, useOrganization } from '../session/session';
import { FieldFrame } from '../ui/field';
import fieldStyles from '../ui/field.module.css';
import { SelectField } from '../ui/select';
import styles from './user-field.module.css';

/** A person as the field holds them. */
export interface Person {
  id: string;
  name: string;
  email?: string;
}

interface UserFieldProps {
  name: string;
  label: string;
  hint?: string;
  value: Person | null;
  onChange: (person: Person | null) => void;
  /** Somebody to choose from for those who may not see the list of users. */
  known?: Person | null;
}

/** Picks an active user of the organization by name or e-mail. */
export function UserField(props: UserFieldProps) {
  return useCan()('users:read') ? <SearchedUser {...props} /> : <KnownUser {...props} />;
}

/** Among those of whom somebody knows who may not see the list of users: nobody, `known`, they themselves. */
function KnownUser({ name, label, hint, value, onChange, known }: UserFieldProps) {
  const me = useMe();
  const people = new Map([known, me].flatMap((one) => (one ? [[one.id, one]] : [])));
  return (
    <SelectField
      name={name}
      label={label}
      optional
      hint={`${hint ?? ''} You may not see the list of users.`.trim()}
      choices={[
        { value: '', label: 'Nobody' },
        ...[...people.values()].map(({ id, name, email }) => ({
          value: id,
          label: name,
          note: email,
        })),
      ]}
      value={value?.id ?? ''}
      onChange={(id) => onChange(people.get(id) ?? null)}
    />
  );
}

function SearchedUser({ name, label, hint, value, onChange }: UserFieldProps) {
  const [text, setText] = useState('');
  const search = useSettled(text);
  const people = usePeople(search === value?.name ? '' : search);
  return (
    <FieldFrame {...{ name, label, hint }} optional>
      <Combobox.Root
        items={people}
        filter={null}
        value={value}
        onValueChange={onChange}
        onInputValueChange={setText}
        itemToStringLabel={(person: Person) => person.name}
        isItemEqualToValue={(one: Person, other: Person) => one.id === other.id}
      >
        <div className={styles.box}>
          <Combobox.Input className={fieldStyles.input} placeholder="Search people…" />
          <Combobox.Clear className={styles.clear} aria-label={`Clear ${label.toLowerCase()}`}>
            <X aria-hidden />
          </Combobox.Clear>
        </div>
        <Combobox.Portal>
          <Combobox.Positioner className={fieldStyles.positioner} sideOffset={4}>
            <Combobox.Popup className={fieldStyles.popup}>
              <Combobox.Empty className={styles.empty}>Nobody found.</Combobox.Empty>
              <Combobox.List>
                {(person: Person) => <PersonItem key={person.id} person={person} />}
              </Combobox.List>
            </Combobox.Popup>
          </Combobox.Positioner>
        </Combobox.Portal>
      </Combobox.Root>
    </FieldFrame>
  );
}

function PersonItem({ person }: { person: Person }) {
  return (
    <Combobox.Item value={person} className={fieldStyles.item}>
      <span className={fieldStyles.itemText}>{person.name}</span>
      <span className={fieldStyles.itemNote}>{person.email}</span>
      <Combobox.ItemIndicator className={fieldStyles.tick}>
        <Check aria-hidden />
      </Combobox.ItemIndicator>
    </Combobox.Item>
  );
}

function usePeople(search: string): Person[] {
  const { id: organizationId } = useOrganization();
  const { data } = useQuery({
    queryKey: ['organizations', organizationId, 'users', 'picker', search],
    queryFn: async ({ signal }) =>
      await api.users.list(
        { organizationId, status: 'active', limit: 20, ...(search && { search }) },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });
  return (data?.data ?? []).map(({ id, name, email }) => ({ id, name, email }));
}
