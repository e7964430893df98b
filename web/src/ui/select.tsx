import { Select } from '@base-ui/react/select';
import { ChevronDown } from 'lucide-react';
import { FieldFrame, type FieldProps } from './field';
import styles from './field.module.css';
import { onDemand } from './on-demand';

const SelectPopup = onDemand(() => import('./select-popup').then((module) => module.SelectPopup));

/** A choice; `note` stands beside its label in the list, and says why where it is disabled. */
export interface Choice {
  value: string;
  label: string;
  note?: string;
  disabled?: boolean;
}

/** One of some choices. */
export function SelectField({ name, label, hint, optional, ...select }: FieldProps & SelectProps) {
  return (
    <FieldFrame {...{ name, label, hint, optional }}>
      <SelectBox {...select} wide />
    </FieldFrame>
  );
}

interface SelectProps {
  choices: readonly Choice[];
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  disabled?: boolean;
}

/** One of some choices, outside of a form: `label` is its name for those who do not see it. */
export function SelectBox({
  choices,
  value,
  onChange,
  placeholder = 'Choose…',
  label,
  wide = false,
  disabled,
}: SelectProps & { label?: string; wide?: boolean }) {
  return (
    <Select.Root
      items={choices}
      value={value === '' && !choices.some((one) => one.value === '') ? null : value}
      onValueChange={(chosen) => onChange(chosen ?? '')}
      disabled={disabled}
    >
      <Select.Trigger aria-label={label} className={`${styles.select} ${wide ? styles.wide : ''}`}>
        <Select.Value>
          {/* A choice may have the empty value, which the component takes for none. */}
          {() => choices.find((one) => one.value === value)?.label ?? placeholder}
        </Select.Value>
        <Select.Icon className={styles.chevron}>
          <ChevronDown aria-hidden />
        </Select.Icon>
      </Select.Trigger>
      <SelectPopup choices={choices} />
    </Select.Root>
  );
}
