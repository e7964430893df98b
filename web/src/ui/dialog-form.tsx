import { Form } from '@base-ui/react/form';
import type { ReactNode } from 'react';
import { type FieldErrors, fieldErrors } from '../api/client';
import { Button } from './button';
import { DialogBody, DialogFooter } from './dialog';

/** The form of a dialog: its fields, which scroll, and below them “Cancel” and the button that does it. */
export function DialogForm({
  work,
  errors = fieldErrors(work.error),
  submit,
  disabled,
  onCancel,
  children,
}: {
  /** The mutation that it starts. */
  work: { mutate: () => void; isPending: boolean; error: unknown };
  errors?: FieldErrors;
  /** What the button says. */
  submit: string;
  disabled?: boolean;
  onCancel: () => void;
  children: ReactNode;
}) {
  return (
    <Form errors={errors} onFormSubmit={() => work.mutate()}>
      <DialogBody>{children}</DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={work.isPending} disabled={disabled}>
          {submit}
        </Button>
      </DialogFooter>
    </Form>
  );
}
