import { Form } from '@base-ui/react/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, Navigate, useSearchParams } from 'react-router';
import { api, fieldErrors, isProblem } from '../api/client';
import { Button } from '../ui/button';
import { TextField } from '../ui/field';
import { Loading } from '../ui/loading';
import { Notice, ProblemNotice } from '../ui/notice';
import { PasswordField } from '../ui/password-field';
import { EntryPage } from './entry-page';
import { resetSession, useMeQuery } from './session';

/** `/login`: e-mail and password for a session that lives in a cookie. */
export function Component() {
  const { data: me, error } = useMeQuery();
  const [search] = useSearchParams();
  // Whatever keeps the answer from coming, logging in may work.
  if (me === undefined && !error) return <Loading />;
  if (me) return <Navigate to={localPath(search.get('next'))} replace />;
  return (
    <EntryPage title="Log in">
      <LoginForm />
    </EntryPage>
  );
}

/** Logs in where it stands: who is logged in then is what `useMeQuery` says. */
export function LoginForm({
  knownEmail = '',
  onLoggedIn = () => resetSession(undefined),
}: {
  knownEmail?: string;
  onLoggedIn?: () => void | Promise<void>;
}) {
  const [email, setEmail] = useState(knownEmail);
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => api.sessions.create({ body: { email, password, cookie: true } }),
    onSuccess: onLoggedIn,
  });
  return (
    <Form errors={fieldErrors(login.error)} onFormSubmit={() => login.mutate()}>
      {isProblem(login.error, 'invalid_login') ? (
        <Notice tone="danger" role="alert" title="E-mail or password is wrong" />
      ) : (
        <ProblemNotice error={login.error} />
      )}
      <TextField
        name="email"
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        autoFocus={knownEmail === ''}
        value={email}
        onValueChange={setEmail}
      />
      <PasswordField
        name="password"
        label="Password"
        required
        autoFocus={knownEmail !== ''}
        value={password}
        onValueChange={setPassword}
      />
      <Button type="submit" variant="primary" busy={login.isPending}>
        Log in
      </Button>
      <Link to="/password-reset">Forgot your password?</Link>
    </Form>
  );
}

/** Where to go on; only to pages of this panel, never to another site. */
function localPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : '/';
}
