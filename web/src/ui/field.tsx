import { Field } from '@base-ui/react/field';
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
