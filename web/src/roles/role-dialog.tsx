import type { Role } from '@claviger/sdk';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { RoleSummary } from './role-summary';

/** Shows what a role permits. */
export function RoleDialog({ role, onClose }: { role: Role; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={role.name} description={role.description}>
      <DialogBody>
        <RoleSummary role={role} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
      </DialogFooter>
    </Dialog>
  );
}
