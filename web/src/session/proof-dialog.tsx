import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, isProblem } from '../api/client';
import { Dialog } from '../ui/dialog';
import { DialogForm } from '../ui/dialog-form';
import { ProblemNotice } from '../ui/notice';
import { PasswordField } from '../ui/password-field';

/** Asks for the password on top of a page, before the server does something dangerous. */
export function ProofDialog({
  email,
  onDone,
}: {
  email: string;
  onDone: (isProved: boolean) => void;
}) {
  const [password, setPassword] = useState('');
  const proof = useMutation({
    mutationFn: () => api.sessions.reauthenticate({ body: { password } }),
    onSuccess: () => onDone(true),
  });
  const cancel = () => onDone(false);
  return (
    <Dialog
      open
      isAbove
      onClose={cancel}
      title="Confirm it is you"
      description="This can do harm in the wrong hands. Enter your password to go on; you will not be asked again for 15 minutes."
    >
      <DialogForm work={proof} submit="Confirm" onCancel={cancel}>
        {/* What is said of the password stands at its field. */}
        {!isProblem(proof.error, 'wrong_password') && <ProblemNotice error={proof.error} />}
        <input type="text" autoComplete="username" value={email} readOnly hidden />
        <PasswordField
          name="password"
          label="Password"
          required
          autoFocus
          value={password}
          onValueChange={setPassword}
        />
      </DialogForm>
    </Dialog>
  );
}
