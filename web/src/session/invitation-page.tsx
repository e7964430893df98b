import type { UserMe } from '@claviger/sdk';
import { ProblemError } from '@claviger/sdk';
import { Form } from '@base-ui/react/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, fieldErrors, isProblem } from '../api/client';
import { Button, ButtonLink } from '../ui/button';
import { TextField } from '../ui/field';
import { Loading } from '../ui/loading';
import { Notice, ProblemNotice } from '../ui/notice';
import { NewPasswordField } from '../ui/password-field';
import { toast } from '../ui/toast';
import { EntryActions, EntryPage } from './entry-page';
import { useFragmentToken } from './fragment-token';
import { LoginForm } from './login-page';
import { logOut, refreshMe, resetSession, useMeQuery } from './session';

/**
 * `/invitation#token=…`: accepts an invitation. Somebody new sets a name and a password; everybody else accepts as who
 * they are logged in as, or logs in on this very page: the token is nowhere but in its memory.
 */
export function Component() {
  const token = useFragmentToken();
  const { data: me, error } = useMeQuery();
  const [refused, setRefused] = useState<string>();
  if (me === undefined && !error) return <Loading />;
  if (token === undefined) return <NoLink />;
  if (token === refused) return <VoidLink />;
  const props = { token, onRefused: () => setRefused(token) };
  return me ? <AcceptAs key={token} me={me} {...props} /> : <Newcomer key={token} {...props} />;
}

interface AcceptProps {
  token: string;
  /** Told that the invitation is used, revoked, expired, or none. */
  onRefused: () => void;
}

function AcceptAs({ me, token, onRefused }: AcceptProps & { me: UserMe }) {
  const navigate = useNavigate();
  const accept = useMutation({
    mutationFn: () => api.invitations.accept({ body: { token } }),
    onSuccess: async ({ organizations }) => {
      const known = new Set(me.organizations.map(({ id }) => id));
      const joined = organizations.find(({ id }) => !known.has(id));
      await refreshMe();
      if (joined) toast(`You have joined ${joined.name}`);
      await navigate(joined ? `/organizations/${joined.id}` : '/', { replace: true });
    },
    onError: (error) => isGone(error) && onRefused(),
  });
  const leave = useMutation({ mutationFn: logOut });
  const isWrong = isProblem(accept.error, 'wrong_person');
  return (
    <EntryPage
      title="Accept the invitation"
      lead={
        <p>
          You are logged in as <strong>{me.name}</strong> ({me.email}).
        </p>
      }
    >
      <EntryActions>
        {isWrong ? (
          <Notice tone="warning" role="alert" title="This invitation is for somebody else">
            Log out, then log in with the e-mail that the invitation was sent to. You stay on this
            page.
          </Notice>
        ) : (
          <ProblemNotice error={leave.error ?? accept.error} />
        )}
        {!isWrong && (
          <Button variant="primary" busy={accept.isPending} onClick={() => accept.mutate()}>
            Accept as {me.name}
          </Button>
        )}
        <Button
          variant={isWrong ? 'primary' : 'plain'}
          busy={leave.isPending}
          onClick={() => leave.mutate()}
        >
          {isWrong ? 'Log out' : 'I am somebody else: log out'}
        </Button>
      </EntryActions>
    </EntryPage>
  );
}

/** Nobody is logged in: the invited person is new, or has yet to log in. The server tells only on acceptance. */
function Newcomer({ token, onRefused }: AcceptProps) {
  const [step, setStep] = useState<'new' | 'login' | 'login-required'>('new');
  if (step === 'new') {
    return (
      <FirstPassword
        {...{ token, onRefused }}
        onLogin={() => setStep('login')}
        onLoginRequired={() => setStep('login-required')}
      />
    );
  }
  return (
    <EntryPage
      title="Log in to accept"
      lead="You stay on this page and accept the invitation then."
    >
      {step === 'login-required' && (
        <EntryActions>
          <Notice role="status" title="You have an account already">
            Log in with the e-mail that the invitation was sent to. No password yet? Ask for one
            with “Forgot your password?”, then open the link of the invitation again.
          </Notice>
        </EntryActions>
      )}
      <LoginForm />
      {step === 'login' && (
        <EntryActions>
          <Button onClick={() => setStep('new')}>I have no account yet</Button>
        </EntryActions>
      )}
    </EntryPage>
  );
}

function FirstPassword({
  token,
  onRefused,
  onLogin,
  onLoginRequired,
}: AcceptProps & { onLogin: () => void; onLoginRequired: () => void }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const accept = useFirstAcceptance({ token, name, password }, (error) => {
    if (isGone(error)) onRefused();
    if (isProblem(error, 'login_required')) onLoginRequired();
  });
  return (
    <EntryPage
      title="Accept the invitation"
      lead="Set your name and a password. You log in with them and the e-mail that the invitation was sent to."
    >
      <Form errors={fieldErrors(accept.error)} onFormSubmit={() => accept.mutate()}>
        <ProblemNotice error={accept.error} />
        <TextField
          name="name"
          label="Your name"
          autoComplete="name"
          required
          autoFocus
          maxLength={100}
          value={name}
          onValueChange={setName}
        />
        <NewPasswordField
          name="password"
          label="Password"
          value={password}
          onValueChange={setPassword}
        />
        <Button type="submit" variant="primary" busy={accept.isPending}>
          Accept and log in
        </Button>
        <Button onClick={onLogin}>I have an account: log in</Button>
      </Form>
    </EntryPage>
  );
}

function useFirstAcceptance(
  body: { token: string; name: string; password: string },
  onError: (error: unknown) => void,
) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => api.invitations.accept({ body: { ...body, cookie: true } }),
    onSuccess: () => {
      resetSession(undefined);
      return navigate('/', { replace: true });
    },
    onError,
  });
}

function NoLink() {
  return (
    <EntryPage
      title="The link is incomplete"
      lead={
        <p>
          Open the whole link of the invitation, including what stands behind the <code>#</code>. If
          you were on this page before: open the link once more.
        </p>
      }
    >
      <ToLogin />
    </EntryPage>
  );
}

function VoidLink() {
  return (
    <EntryPage
      title="This invitation does not work any more"
      lead={
        <>
          <p>
            It was accepted already, was withdrawn or sent again (then the newest link works), or it
            is older than 7 days.
          </p>
          <p>Accepted it before? Log in. Otherwise ask who invited you to send it again.</p>
        </>
      }
    >
      <ToLogin />
    </EntryPage>
  );
}

function ToLogin() {
  return (
    <EntryActions>
      <ButtonLink to="/login" variant="primary">
        Go to the login
      </ButtonLink>
    </EntryActions>
  );
}

function isGone(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}
