import { useEffect } from 'react';
import { Outlet } from 'react-router';
import { useMembership } from '../session/session';
import { rememberOrganization } from './last-organization';
import { NotFound } from './not-found';

/** Pages of one organization: shown to its users alone. */
export function OrganizationFrame() {
  const organization = useMembership();
  const id = organization?.id;
  useEffect(() => {
    if (id) rememberOrganization(id);
  }, [id]);
  // Another organization is another page: nothing of the one before may stay in a form.
  return organization ? <Outlet key={organization.id} /> : <NotFound />;
}
