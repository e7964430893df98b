import { useEffect } from 'react';
import { Outlet } from 'react-router';
import { isSuspended, useMembership } from '../session/session';
import { Notice } from '../ui/notice';
import { rememberOrganization } from './last-organization';
import { NotFound } from './not-found';

/** Pages of one organization: shown to its users alone. */
export function OrganizationFrame() {
  const organization = useMembership();
  const id = organization?.id;
  useEffect(() => {
    if (id) rememberOrganization(id);
  }, [id]);
  if (!organization) return <NotFound />;
  return (
    <>
      {isSuspended(organization) && (
        <Notice tone="warning" title="This organization is suspended">
          Its keys are refused, and nothing can be changed here until an administrator of the server
          resumes it.
        </Notice>
      )}
      {/* Another organization is another page: nothing of the one before may stay in a form. */}
      <Outlet key={organization.id} />
    </>
  );
}
