import { Form } from '@base-ui/react/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, fieldErrors } from '../api/client';
import { useMe } from '../session/session';
import { Button } from '../ui/button';
import { ProblemNotice } from '../ui/notice';
import { Card, FormColumn } from '../ui/page';
import { NewPasswordField, PasswordField } from '../ui/password-field';
import { toast } from '../ui/toast';
import { MY_SESSIONS } from './my-sessions';

const EMPTY = { currentPassword: '', newPassword: '' };

/** Changes one's own password, by the current one. */
export function PasswordCard() {
  const [input, setInput] = useState(EMPTY);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () => api.me.changePassword({ body: input }),
    onSuccess: async () => {
      setInput(EMPTY);
      toast('Your password is changed; your other sessions have ended');
      await queries.invalidateQueries({ queryKey: MY_SESSIONS });
    },
  });
  const field = (name: keyof typeof EMPTY) => ({
    name,
    value: input[name],
    onValueChange: (value: string) => setInput((before) => ({ ...before, [name]: value })),
  });
  return (
    <Card title="Password">
      <p>Changing it ends all your other sessions. This one goes on.</p>
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
