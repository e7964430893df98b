import { capitalized } from './capitalized';
import { SelectBox } from './select';

/** Lets a list show those of one status alone; the empty value is any. */
export function StatusSelect({
  statuses,
  value,
  onChange,
}: {
  statuses: readonly string[];
  value: string;
  onChange: (status: string) => void;
}) {
  return (
    <SelectBox
      label="Status"
      value={value}
      onChange={onChange}
      choices={[
        { value: '', label: 'Any status' },
        ...statuses.map((one) => ({ value: one, label: capitalized(one) })),
      ]}
    />
  );
}
