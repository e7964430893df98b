import { useState } from 'react';
import { useSettings } from '../organization/use-settings';
import { useCan } from '../session/session';
import { TextField } from '../ui/field';
import { SelectField } from '../ui/select';
import { allowedExpiry, DEFAULT_EXPIRY, type Expiry, expiryChoices } from './expiry';

/** What was chosen; until something is, a year or the longest choice that the organization leaves. */
export function useExpiry(): [Expiry, (expiry: Expiry) => void] {
  const [expiry, setExpiry] = useState(DEFAULT_EXPIRY);
  return [allowedExpiry(expiry, useMaxKeyLifetime()), setExpiry];
}

/** Chooses when a key expires, within what the organization allows. */
export function ExpiryField({
  name,
  value,
  onChange,
}: {
  name: string;
  value: Expiry;
  onChange: (expiry: Expiry) => void;
}) {
  const choices = expiryChoices(useMaxKeyLifetime());
  const { choice } = value;
  return (
    <>
      <SelectField
        name={choice === 'date' ? `${name}-choice` : name}
        label="Key expires"
        hint={
          choice === 'never'
            ? 'A key that never expires is good until somebody revokes it.'
            : 'Rotate the key before then: the old and the new one work side by side for a while.'
        }
        choices={choices}
        value={choice}
        onChange={(chosen) => onChange({ ...value, choice: chosen })}
      />
      {choice === 'date' && (
        <TextField
          name={name}
          label="Expires on"
          type="datetime-local"
          required
          value={value.date}
          onValueChange={(date) => onChange({ choice: 'date', date })}
        />
      )}
    </>
  );
}

/** The longest a key may live in this organization, in seconds; null: no bound, or none that the person may see. */
function useMaxKeyLifetime(): number | null {
  return (
    useSettings({ enabled: useCan()('organization:read') }).data?.settings.maxKeyLifetimeSeconds ??
    null
  );
}
