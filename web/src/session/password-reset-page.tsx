import { Form } from '@base-ui/react/form';
import { ProblemError } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, fieldErrors } from '../api/client';
import { Button, ButtonLink } from '../ui/button';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { NewPasswordField } from '../ui/password-field';
import { EntryActions, EntryPage } from './entry-page';
import { useFragmentToken } from './fragment-token';
import { resetSession } from './session';

/** `/password-reset`: asks for the link by e-mail; with `#token=…`, the link of that mail, sets the new password. */
export function Component() {
  const token = useFragmentToken();
  const [refused, setRefused] = useState<string>();
  if (token === undefined) return <Request />;
  if (token === refused) return <Request isAgain />;
  return <NewPassword key={token} token={token} onRefused={() => setRefused(token)} />;
}

function Request({ isAgain = false }: { isAgain?: boolean }) {
  const [email, setEmail] = useState('');
  const request = useMutation({
    mutationFn: () => api.passwordResets.create({ body: { email } }),
  });
  if (request.isSuccess) return <Sent email={email} onAgain={() => request.reset()} />;
  return (
    <EntryPage
      title={isAgain ? 'This link does not work any more' : 'Forgot your password?'}
      lead={
        isAgain
          ? 'A link works once, for an hour, and only as long as no newer password was set. Ask for a new one.'
          : 'We mail you a link with which you set a new one.'
      }
    >
      <Form errors={fieldErrors(request.error)} onFormSubmit={() => request.mutate()}>
        <ProblemNotice error={request.error} />
        <TextField
          name="email"
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onValueChange={setEmail}
        />
        <Button type="submit" variant="primary" busy={request.isPending}>
          Send the link
        </Button>
        <Link to="/login">Back to the login</Link>
      </Form>
    </EntryPage>
  );
}

/** The same for everybody: it does not tell who has an account. */
function Sent({ email, onAgain }: { email: string; onAgain: () => void }) {
  return (
    <EntryPage
      title="Look into your mail"
      lead={
        <>
          <p>
            If somebody has an account with <strong>{email}</strong>, a link is on its way. It works
            once, for an hour.
          </p>
          <p>
            Nothing there? Look into the spam folder, or ask your administrator: this server may not
            be able to send mail.
          </p>
        </>
      }
    >
      <EntryActions>
        <ButtonLink to="/login" variant="primary">
          Back to the login
        </ButtonLink>
        <Button onClick={onAgain}>Use another e-mail</Button>
      </EntryActions>
    </EntryPage>
  );
}

function NewPassword({ token, onRefused }: { token: string; onRefused: () => void }) {
  const [password, setPassword] = useState('');
  const confirm = useMutation({
    mutationFn: () => api.passwordResets.confirm({ body: { token, password } }),
    onError: (error) => {
      if (error instanceof ProblemError && error.status === 404) onRefused();
    },
  });
  if (confirm.isSuccess) return <Changed />;
  return (
    <EntryPage
      title="Set a new password"
      lead="You are logged out everywhere, and log in with the new password."
    >
      <Form errors={fieldErrors(confirm.error)} onFormSubmit={() => confirm.mutate()}>
        <ProblemNotice error={confirm.error} />
        <NewPasswordField
          name="password"
          label="New password"
          autoFocus
          value={password}
          onValueChange={setPassword}
        />
        <Button type="submit" variant="primary" busy={confirm.isPending}>
          Set the password
        </Button>
      </Form>
    </EntryPage>
  );
}

function Changed() {
  return (
    <EntryPage
      title="Your password is set"
      lead="All your sessions have ended, on this device too. Log in with the new password."
    >
      <EntryActions>
        {/* Whoever was logged in here is so no more. */}
        <ButtonLink to="/login" variant="primary" onClick={() => resetSession(undefined)}>
          Log in
        </ButtonLink>
      </EntryActions>
    </EntryPage>
  );
}
