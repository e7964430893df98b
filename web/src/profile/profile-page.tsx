import { Form } from '@base-ui/react/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, fieldErrors } from '../api/client';
import { refreshMe, useMe } from '../session/session';
import { Button } from '../ui/button';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { Card, FormColumn, PageHeader } from '../ui/page';
import { toast } from '../ui/toast';
import { PasswordCard } from './password-card';
import { SessionsCard } from './sessions-card';

/** `/profile`: what people see and change about themselves, whatever their organizations let them do. */
export function Component() {
  return (
    <>
      <PageHeader title="Profile and sessions">
        Your account on this server. It is the same in all your organizations.
      </PageHeader>
      <NameCard />
      <PasswordCard />
      <SessionsCard />
    </>
  );
}

function NameCard() {
  const me = useMe();
  const [name, setName] = useState(me.name);
  const save = useMutation({
    mutationFn: () => api.me.update({ body: { name } }),
    onSuccess: async () => {
      await refreshMe();
      toast('Your name is saved');
    },
  });
  return (
    <Card title="You">
      <FormColumn>
        <Form errors={fieldErrors(save.error)} onFormSubmit={() => save.mutate()}>
          <ProblemNotice error={save.error} />
          <TextField
            name="name"
            label="Name"
            autoComplete="name"
            required
            maxLength={100}
            hint="Others in your organizations see it, and the audit trail keeps it."
            value={name}
            onValueChange={setName}
          />
          <TextField
            name="email"
            label="E-mail"
            value={me.email}
            readOnly
            hint="You log in with it. It cannot be changed."
          />
          <Button
            type="submit"
            variant="primary"
            busy={save.isPending}
            disabled={name.trim() === me.name}
          >
            Save
          </Button>
        </Form>
      </FormColumn>
    </Card>
  );
}
