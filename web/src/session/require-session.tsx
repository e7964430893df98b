import { useEffect, useState } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { giveUpProof, useWaitingProof } from '../api/proof';
import { Button } from '../ui/button';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { onDemand } from '../ui/on-demand';
import { EntryActions, EntryPage } from './entry-page';
import styles from './require-session.module.css';
import { MeContext, useEndedSession, useMeQuery } from './session';

// It is there before the session ends, also when the server is upgraded meanwhile.
const LoginDialog = onDemand(() => import('./login-dialog').then((module) => module.LoginDialog));

const ProofDialog = onDemand(() => import('./proof-dialog').then((module) => module.ProofDialog));

/**
 * Lets in who is logged in, and sends everybody else to the login and back. A session that ends by itself hides the page, but keeps
 * it, with its drafts and a token that nobody has seen yet: dialogs stay where they are, and another login goes on from there.
 */
export function RequireSession() {
  const query = useMeQuery();
  const { data: me, error } = query;
  const ended = useEndedSession();
  const { pathname, search } = useLocation();
  if (me === undefined) return error ? <ProblemNotice error={error} retry={query} /> : <Loading />;
  const who = me ?? ended?.who;
  if (!who) {
    const next = pathname === '/' ? '' : `?next=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/login${next}`} replace />;
  }
  return (
    <MeContext value={who}>
      <div className={styles.page} hidden={me === null}>
        <Outlet key={who.id} />
      </div>
      {me !== null && <Proof email={who.email} />}
      {me === null && ended && <Ended noticed={ended.noticed} email={who.email} />}
    </MeContext>
  );
}

/** Over the page and its dialogs, while a request waits for the password of whoever makes it. */
function Proof({ email }: { email: string }) {
  const waiting = useWaitingProof();
  useEffect(() => giveUpProof, []);
  return waiting && <ProofDialog email={email} onDone={waiting.settle} />;
}

/** In place of the page. The login is a dialog, because the page may have one open, which would be above everything else. */
function Ended({ noticed, email }: { noticed: number; email: string }) {
  const [dismissed, setDismissed] = useState<number>();
  return (
    <>
      <EntryPage
        title="Your session has ended"
        lead="Log in again to go on where you were. Nothing that you have filled in is lost."
      >
        <EntryActions>
          <Button variant="primary" onClick={() => setDismissed(undefined)}>
            Log in
          </Button>
        </EntryActions>
      </EntryPage>
      {/* Put aside, to read what is below, until somebody meets the end again. */}
      {dismissed !== noticed && <LoginDialog email={email} onClose={() => setDismissed(noticed)} />}
    </>
  );
}
