import { Field } from '@base-ui/react/field';
import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useState } from 'react';
import { IconButton } from './button';
import { FieldFrame, type FieldProps } from './field';
import styles from './field.module.css';

type PasswordFieldProps = FieldProps & Omit<ComponentProps<typeof Field.Control>, 'name' | 'type'>;

/** A password, hidden until its owner wants to see it. */
export function PasswordField({ name, label, hint, optional, ...input }: PasswordFieldProps) {
  const [isShown, setShown] = useState(false);
  return (
    <FieldFrame {...{ name, label, hint, optional }}>
      <div className={styles.password}>
        <Field.Control
          className={styles.input}
          type={isShown ? 'text' : 'password'}
          autoComplete="current-password"
          autoCapitalize="none"
          spellCheck={false}
          {...input}
        />
        <IconButton
          label={isShown ? 'Hide password' : 'Show password'}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
        </IconButton>
      </div>
    </FieldFrame>
  );
}

/** A password that is about to be set: says what it must be like, and offers to be remembered. */
export function NewPasswordField(props: PasswordFieldProps) {
  return (
    <PasswordField
      autoComplete="new-password"
      // A longest length would cut a pasted password off without a word; the server refuses it instead.
      minLength={12}
      required
      hint="12 to 256 characters of any kind: a few words that you can remember are good, what many people use is not."
      {...props}
    />
  );
}
