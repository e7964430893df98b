import { Form } from '@base-ui/react/form';
import { ProblemError } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Navigate } from 'react-router';
import { api, fieldErrors } from '../api/client';
import { Button, ButtonLink } from '../ui/button';
import { TextField } from '../ui/field';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { NewPasswordField } from '../ui/password-field';
import { EntryActions, EntryPage } from './entry-page';
import { useFragmentToken } from './fragment-token';
import { resetSession, useMeQuery } from './session';

const EMPTY = { name: '', email: '', password: '', organizationName: '' };

/** `/setup#token=…`: the first administrator and organization of a new server. */
export function Component() {
  const token = useFragmentToken();
  const { data: me, error } = useMeQuery();
  if (me) return <Navigate to="/" replace />;
  if (me === undefined && !error) return <Loading />;
  if (token === undefined) return <NoLink />;
  // Another link is another attempt: nothing of the one before may stay.
  return <Setup key={token} token={token} />;
}

function Setup({ token }: { token: string }) {
  const [input, setInput] = useState(EMPTY);
  const setup = useMutation({
    mutationFn: () => api.setup.create({ body: { ...input, token, cookie: true } }),
    onSuccess: () => resetSession(undefined),
  });
  const status = setup.error instanceof ProblemError ? setup.error.status : undefined;
  if (status === 404) return <Done />;
  if (status === 401) return <VoidLink />;
  return (
    <EntryPage
      title="Set up Claviger"
      lead="You become the first administrator of this server, and the owner of its first organization."
    >
      <Form errors={fieldErrors(setup.error)} onFormSubmit={() => setup.mutate()}>
        <ProblemNotice error={setup.error} />
        <SetupFields input={input} onChange={setInput} />
        <Button type="submit" variant="primary" busy={setup.isPending}>
          Set up and log in
        </Button>
      </Form>
    </EntryPage>
  );
}

function SetupFields({
  input,
  onChange,
}: {
  input: typeof EMPTY;
  onChange: (input: typeof EMPTY) => void;
}) {
  const field = (name: keyof typeof EMPTY) => ({
    name,
    value: input[name],
    onValueChange: (value: string) => onChange({ ...input, [name]: value }),
  });
  return (
    <>
      <TextField
        label="Your name"
        autoComplete="name"
        required
        autoFocus
        maxLength={100}
        {...field('name')}
      />
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        hint="You log in with it."
        {...field('email')}
      />
      <NewPasswordField label="Password" {...field('password')} />
      <TextField
        label="Name of the organization"
        autoComplete="organization"
        required
        maxLength={100}
        hint="Your company or team. You can change it later."
        {...field('organizationName')}
      />
    </>
  );
}

function NoLink() {
  return (
    <NoSetup title="The link is incomplete">
      <p>
        Setting up a new server needs the whole link that the server printed when it started,
        including what stands behind the <code>#</code>.
      </p>
      <p>Is the server set up already? Then log in.</p>
    </NoSetup>
  );
}

function VoidLink() {
  return (
    <NoSetup title="This link does not work any more">
      <p>
        A set-up link is good for 30 minutes, and only the newest one works. Restart the server: it
        prints a new link. Then fill in the form again.
      </p>
    </NoSetup>
  );
}

function Done() {
  return (
    <NoSetup title="This server is set up already">
      <p>There is an administrator. Log in, or ask them to invite you.</p>
    </NoSetup>
  );
}

function NoSetup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <EntryPage title={title} lead={children}>
      <EntryActions>
        <ButtonLink to="/login" variant="primary">
          Log in
        </ButtonLink>
      </EntryActions>
    </EntryPage>
  );
}
