import { Form } from '@base-ui/react/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, fieldErrors } from '../api/client';
import { resetSession, useMe } from '../session/session';
import { Button } from '../ui/button';
import { ProblemNotice } from '../ui/notice';
import { Card, FormColumn } from '../ui/page';
import { NewPasswordField, PasswordField } from '../ui/password-field';
import { toast } from '../ui/toast';

const EMPTY = { currentPassword: '', newPassword: '' };

/** Changes one's own password, by the current one; then one logs in with it. */
export function PasswordCard() {
  const [input, setInput] = useState(EMPTY);
  const change = useMutation({
    mutationFn: () => api.me.changePassword({ body: input }),
    onSuccess: () => {
      toast('Your password is changed: log in with the new one');
      resetSession(null);
    },
  });
  const field = (name: keyof typeof EMPTY) => ({
    name,
    value: input[name],
    onValueChange: (value: string) => setInput((before) => ({ ...before, [name]: value })),
  });
  return (
    <Card title="Password">
      <p>Changing it ends all your sessions, this one too: you log in with the new one.</p>
      <FormColumn>
        <Form errors={fieldErrors(change.error)} onFormSubmit={() => change.mutate()}>
          <ProblemNotice error={change.error} />
          <AccountName />
          <PasswordField label="Current password" required {...field('currentPassword')} />
          <NewPasswordField label="New password" {...field('newPassword')} />
          <Button type="submit" variant="primary" busy={change.isPending}>
            Change the password
          </Button>
          <Link to="/password-reset">Forgot the current one?</Link>
        </Form>
      </FormColumn>
    </Card>
  );
}

/** For password managers: whose password it is. */
function AccountName() {
  const { email } = useMe();
  return <input type="text" autoComplete="username" value={email} readOnly hidden />;
}
