import { Select } from '@base-ui/react/select';
import { Check, ChevronDown } from 'lucide-react';
import { FieldFrame, type FieldProps } from './field';
import styles from './field.module.css';

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
      <Select.Portal>
        <Select.Positioner
          className={styles.positioner}
          sideOffset={4}
          alignItemWithTrigger={false}
        >
          <Select.Popup className={styles.popup}>
            {choices.map((choice) => (
              <Select.Item
                key={choice.value}
                value={choice.value}
                disabled={choice.disabled}
                className={styles.item}
              >
                <Select.ItemText className={styles.itemText}>{choice.label}</Select.ItemText>
                {choice.note && <span className={styles.itemNote}>{choice.note}</span>}
                <Select.ItemIndicator className={styles.tick}>
                  <Check aria-hidden />
                </Select.ItemIndicator>
              </Select.Item>
            ))}
          </Select.Popup>
        </Select.Positioner>
      </Select.Portal>
    </Select.Root>
  );
}
