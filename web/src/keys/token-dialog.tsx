import { Copy, Download, Eye, EyeOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useBlocker } from 'react-router';
import { inFileName, saveFile } from '../api/save-file';
import { Button } from '../ui/button';
import { ConfirmDialog, Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { useForgetOnLeave } from '../ui/forget-on-leave';
import { Notice } from '../ui/notice';
import { useCopy } from '../ui/use-copy';
import styles from './token-dialog.module.css';

/** A token that the server has just shown, and whose it is. */
export interface NewToken {
  token: string;
  accountName: string;
  keyName: string;
}

/** The token of a key that has just been made; what shows it is loaded with this, before there is one to lose. */
export function newToken(
  key: { token: string | null; name: string },
  account: { name: string },
): NewToken {
  return { token: key.token ?? '', accountName: account.name, keyName: key.name };
}

/**
 * Shows a token, once. Whoever renders it holds the only copy and drops it in `onDone`; leaving in any other way is
 * asked about first.
 */
export function TokenDialog({ shown, onDone }: { shown: NewToken; onDone: () => void }) {
  const [isLeaving, setLeaving] = useState(false);
  const blocker = useBlocker(true);
  useLeaveWarning();
  useForgetOnLeave(onDone);
  return (
    <Dialog open title="Copy the API token now" onClose={() => setLeaving(true)}>
      <DialogBody>
        <p>
          The token of the key <strong>{shown.keyName}</strong> of{' '}
          <strong>{shown.accountName}</strong>.
        </p>
        <Notice tone="warning" title="It will not be shown again">
          Store it in a safe place. If it is lost, create another key.
        </Notice>
        <Token shown={shown} />
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onDone}>
          Got it
        </Button>
      </DialogFooter>
      <ConfirmDialog
        open={isLeaving || blocker.state === 'blocked'}
        title="Leave without the token?"
        confirm="Leave"
        cancel="Stay"
        danger
        onConfirm={() => {
          onDone();
          blocker.proceed?.();
        }}
        onCancel={() => {
          setLeaving(false);
          blocker.reset?.();
        }}
      >
        <p>
          It will not be shown again. If you have not stored it, you will have to create another
          key.
        </p>
      </ConfirmDialog>
    </Dialog>
  );
}

function Token({ shown }: { shown: NewToken }) {
  const { token } = shown;
  const [isRevealed, setRevealed] = useState(false);
  const [copied, copy] = useCopy();
  const onCopy = async () => {
    // Then it has to be selected.
    if ((await copy(token)) === 'failed') setRevealed(true);
  };
  return (
    <>
      <div className={styles.token}>
        <code aria-label="API token">{isRevealed ? token : masked(token)}</code>
        <Button variant="quiet" onClick={() => setRevealed(!isRevealed)} aria-pressed={isRevealed}>
          {isRevealed ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
          {isRevealed ? 'Hide' : 'Reveal'}
        </Button>
      </div>
      <div className={styles.actions}>
        <Button onClick={() => void onCopy()}>
          <Copy aria-hidden /> {copied === 'yes' ? 'Copied' : 'Copy'}
        </Button>
        <Button onClick={() => download(shown)}>
          <Download aria-hidden /> Download as .env
        </Button>
      </div>
      <p role="status" className={styles.status}>
        {copied === 'yes' && 'The token is on the clipboard.'}
        {copied === 'failed' &&
          'This page may not use the clipboard: select the token and copy it.'}
      </p>
    </>
  );
}

/** What can be told of the token without telling it. */
function masked(token: string): string {
  const prefix = token.slice(0, token.indexOf('_') + 1);
  return `${prefix}${'•'.repeat(24)}`;
}

/** The browser asks before the page is closed or left. */
function useLeaveWarning(): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
}

function download({ token, accountName }: NewToken): void {
  const file = new Blob([envFile(token)], { type: 'text/plain' });
  saveFile(`${inFileName(accountName)}.env`, file);
}

/** What an integration needs to know, for `source` and for dotenv. */
function envFile(token: string): string {
  return `CLAVIGER_URL=${window.location.origin}\nCLAVIGER_TOKEN=${token}\n`;
}
