import type { IssuedInvitation } from '@claviger/sdk';
import { Copy } from 'lucide-react';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { useForgetOnLeave } from '../ui/forget-on-leave';
import { Notice } from '../ui/notice';
import { exactTime } from '../ui/time';
import { useCopy } from '../ui/use-copy';
import styles from './invitation-dialog.module.css';

/** Shows the link of an invitation, once, to be handed over. */
export function InvitationDialog({
  invitation: { email, link, mailed, expiresAt },
  onClose,
}: {
  invitation: IssuedInvitation;
  onClose: () => void;
}) {
  const [copied, copy] = useCopy();
  useForgetOnLeave(onClose);
  return (
    <Dialog open onClose={onClose} title={mailed ? 'Invitation sent' : 'Hand over this invitation'}>
      <DialogBody>
        {mailed ? (
          <p>
            A mail with a link is on its way to <strong>{email}</strong>. If it does not arrive, you
            can hand over this link instead:
          </p>
        ) : (
          <Notice tone="warning" title="No mail was sent">
            Give this link to <strong>{email}</strong> yourself, in a way that nobody else can read.
          </Notice>
        )}
        <code className={styles.link} aria-label="Link of the invitation">
          {link}
        </code>
        <div className={styles.row}>
          <Button variant="primary" onClick={() => void copy(link)}>
            <Copy aria-hidden /> {copied === 'yes' ? 'Copied' : 'Copy link'}
          </Button>
          <span role="status" className={styles.note}>
            {copied === 'yes' && 'The link is on the clipboard.'}
            {copied === 'failed' &&
              'This page may not use the clipboard: select the link and copy it.'}
          </span>
        </div>
        <p className={styles.note}>
          It works once, until {exactTime(expiresAt)}, and is not shown again. If it is lost, send
          the invitation again.
        </p>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Done</Button>
      </DialogFooter>
    </Dialog>
  );
}
