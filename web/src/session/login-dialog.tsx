import { Dialog, DialogBody } from '../ui/dialog';
import { LoginForm } from './login-page';
import { resumeSession } from './session';

/** The login on top of a page whose session has ended. The default export, as `lazy` wants it. */
export default function LoginDialog({ email, onClose }: { email: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title="Your session has ended"
      description="Log in again: everything stays as it is."
    >
      <DialogBody>
        <LoginForm knownEmail={email} onLoggedIn={resumeSession} />
      </DialogBody>
    </Dialog>
  );
}
