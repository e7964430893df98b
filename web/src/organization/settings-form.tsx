import { Form } from '@base-ui/react/form';
import type { Organization } from '@claviger/sdk';
import { api, fieldErrors } from '../api/client';
import { EditNotice } from '../edit/edit-notice';
import { useEdit } from '../edit/use-edit';
import { Button } from '../ui/button';
import { capitalized } from '../ui/capitalized';
import { TextField } from '../ui/field';
import { SelectField } from '../ui/select';
import { FormColumn } from '../ui/page';
import { toast } from '../ui/toast';
import {
  type Lifetime,
  lifetimeText,
  type LifetimeUnit,
  rangeIn,
  toLifetime,
  toSeconds,
} from './lifetime';
import { useShowChanged } from './use-settings';

interface Input {
  name: string;
  maxKeys: string;
  lifetime: Lifetime;
  requests: string;
}

/** Changes the organization's name and limits; only what was changed is sent. */
export function SettingsForm({ organization }: { organization: Organization }) {
  const edit = useSettingsEdit(organization);
  const { draft, change, save, seen } = edit;
  return (
    <FormColumn>
      <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
        <EditNotice edit={edit} />
        <TextField
          name="name"
          label="Name"
          required
          maxLength={100}
          value={draft.name}
          onValueChange={(name) => change({ name })}
        />
        <TextField
          name="settings/maxKeysPerServiceAccount"
          label="Keys per service account"
          hint="How many usable keys one service account may have, 1 to 100. Keys that are there already stay."
          {...wholeNumber(1, 100)}
          value={draft.maxKeys}
          onValueChange={(maxKeys) => change({ maxKeys })}
        />
        <LifetimeFields value={draft.lifetime} onChange={(lifetime) => change({ lifetime })} />
        <TextField
          name="settings/requestsPerMinute"
          label="Requests per minute"
          hint="How often a minute each key and each session may use one operation; more is refused for the rest of the minute. A service account may have a limit of its own."
          {...wholeNumber(1, 1_000_000)}
          value={draft.requests}
          onValueChange={(requests) => change({ requests })}
        />
        <Button
          type="submit"
          variant="primary"
          busy={save.isPending}
          disabled={Object.keys(changesOf(seen, draft)).length === 0}
        >
          Save
        </Button>
      </Form>
    </FormColumn>
  );
}

function useSettingsEdit(organization: Organization) {
  const { id: organizationId } = organization;
  const showChanged = useShowChanged();
  return useEdit<Organization, Input>(organization, {
    toDraft: toInput,
    facts: ({ name, settings }) => ({
      Name: name,
      'Keys per service account': String(settings.maxKeysPerServiceAccount),
      'Longest life of a key': lifetimeText(settings.maxKeyLifetimeSeconds),
      'Requests per minute': String(settings.requestsPerMinute),
    }),
    read: () => api.organizations.get({ organizationId }),
    save: (input, { seen, ifMatch }) =>
      api.organizations.update({ organizationId, body: changesOf(seen, input), ifMatch }),
    onSaved: async (changed) => {
      await showChanged(changed);
      toast('The settings are saved');
    },
  });
}

const UNITS = [
  { value: 'none', label: 'No limit', note: 'Keys may live for ever' },
  { value: 'days', label: 'Days' },
  { value: 'hours', label: 'Hours' },
];

function LifetimeFields({
  value: { amount, unit },
  onChange,
}: {
  value: Lifetime;
  onChange: (lifetime: Lifetime) => void;
}) {
  const isUnusual = !UNITS.some(({ value }) => value === unit);
  return (
    <>
      <SelectField
        name="lifetimeUnit"
        label="Longest life of a key"
        hint="How late a new key may expire. Keys that are there already keep their life."
        choices={isUnusual ? [...UNITS, { value: unit, label: capitalized(unit) }] : UNITS}
        value={unit}
        onChange={(chosen) => onChange({ amount, unit: chosen as LifetimeUnit })}
      />
      {unit !== 'none' && (
        <TextField
          name="settings/maxKeyLifetimeSeconds"
          label={`Longest life in ${unit}`}
          hint="From 1 hour to 10 years."
          {...wholeNumber(...rangeIn(unit))}
          value={amount}
          onValueChange={(typed) => onChange({ amount: typed, unit })}
        />
      )}
    </>
  );
}

function wholeNumber(min: number, max: number) {
  return { type: 'number', inputMode: 'numeric', step: 1, min, max, required: true } as const;
}

function toInput({ name, settings }: Organization): Input {
  return {
    name,
    maxKeys: String(settings.maxKeysPerServiceAccount),
    lifetime: toLifetime(settings.maxKeyLifetimeSeconds),
    requests: String(settings.requestsPerMinute),
  };
}

/** `{}` when nothing differs. */
function changesOf({ name, settings: before }: Organization, input: Input) {
  const typed = {
    maxKeysPerServiceAccount: Number(input.maxKeys),
    maxKeyLifetimeSeconds: toSeconds(input.lifetime),
    requestsPerMinute: Number(input.requests),
  };
  const settings = Object.fromEntries(
    Object.entries(typed).filter(([key, value]) => value !== before[key as keyof typeof before]),
  ) as Partial<typeof typed>;
  return {
    ...(input.name.trim() === name ? {} : { name: input.name }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  };
}
