import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { refreshMe } from '../session/session';
import { Dialog } from '../ui/dialog';
import { DialogForm } from '../ui/dialog-form';
import { TextField } from '../ui/field';
import { ProblemNotice } from '../ui/notice';
import { toast } from '../ui/toast';

/** Makes an organization, of which the person becomes the owner, and opens it. For administrators of the server. */
export function NewOrganizationDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title="New organization"
      description="Its users, service accounts, keys and audit trail are apart from those of all others. You become its owner."
    >
      <NewOrganization onClose={onClose} />
    </Dialog>
  );
}

function NewOrganization({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const navigate = useNavigate();
  const creation = useMutation({
    mutationFn: () => api.organizations.create({ body: { name } }),
    onSuccess: async (organization) => {
      await refreshMe();
      onClose();
      toast(`${organization.name} is there`);
      await navigate(`/organizations/${organization.id}`);
    },
  });
  return (
    <DialogForm work={creation} submit="Create" onCancel={onClose}>
      <ProblemNotice error={creation.error} />
      <TextField
        name="name"
        label="Name"
        required
        maxLength={100}
        hint="The company, team or environment that it is for. You can change it later."
        value={name}
        onValueChange={setName}
      />
    </DialogForm>
  );
}
