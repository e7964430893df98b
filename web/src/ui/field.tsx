import { Field } from '@base-ui/react/field';
import { Select } from '@base-ui/react/select';
import { Checkbox } from '@base-ui/react/checkbox';
import { Check, ChevronDown } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import styles from './field.module.css';

/** What every field of a form has. */
export interface FieldProps {
  /** The JSON pointer of the property without its first slash, so that refusals find their field. */
  name: string;
  label: ReactNode;
  hint?: ReactNode;
  optional?: boolean;
}

/** Label, hint and refusal around a control. */
export function FieldFrame({
  name,
  label,
  hint,
  optional,
  children,
}: FieldProps & { children: ReactNode }) {
  return (
    <Field.Root name={name} className={styles.field}>
      <Field.Label className={styles.label}>
        {label}
        {optional && <span className={styles.optional}> (optional)</span>}
      </Field.Label>
      {children}
      {hint && <Field.Description className={styles.hint}>{hint}</Field.Description>}
      <Field.Error className={styles.error} />
    </Field.Root>
  );
}

/** A line of text. */
export function TextField({
  name,
  label,
  hint,
  optional,
  ...input
}: FieldProps & Omit<ComponentProps<typeof Field.Control>, 'name'>) {
  return (
    <FieldFrame {...{ name, label, hint, optional }}>
      <Field.Control className={styles.input} autoComplete="off" {...input} />
    </FieldFrame>
  );
}

/** Several lines of text. */
export function TextAreaField({
  name,
  label,
  hint,
  optional,
  rows = 3,
  ...input
}: FieldProps & Omit<ComponentProps<'textarea'>, 'name' | 'ref'>) {
  return (
    <FieldFrame {...{ name, label, hint, optional }}>
      <Field.Control
        className={`${styles.input} ${styles.area}`}
        render={<textarea rows={rows} {...input} />}
      />
    </FieldFrame>
  );
}

/** A choice; `note` stands beside its label in the list. */
export interface Choice {
  value: string;
  label: string;
  note?: string;
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
              <Select.Item key={choice.value} value={choice.value} className={styles.item}>
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

/** A box to tick, with a sentence beside it. */
export function CheckField({
  label,
  hint,
  checked,
  onChange,
  disabled,
}: {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <label className={styles.check}>
      <Checkbox.Root
        className={styles.box}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
      >
        <Checkbox.Indicator className={styles.boxTick}>
          <Check aria-hidden />
        </Checkbox.Indicator>
      </Checkbox.Root>
      <span>
        <span className={styles.checkLabel}>{label}</span>
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </label>
  );
}
