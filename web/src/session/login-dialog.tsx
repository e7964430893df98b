import { Dialog, DialogBody } from '../ui/dialog';
import { FormColumn } from '../ui/page';
import { LoginForm } from './login-page';
import { resumeSession } from './session';

/** The login on top of a page whose session has ended.  */
export function LoginDialog({ email, onClose }: { email: string; onClose: () => void }) {
  return (
    <Dialog
      open
      isAbove
      onClose={onClose}
      title="Your session has ended"
      description="Log in again: everything stays as it is."
    >
      <DialogBody>
        <FormColumn>
          <LoginForm knownEmail={email} onLoggedIn={resumeSession} />
        </FormColumn>
      </DialogBody>
    </Dialog>
  );
}
