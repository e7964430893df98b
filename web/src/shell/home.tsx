import { Navigate } from 'react-router';
import { useMe } from '../session/session';
import { EmptyState } from '../ui/page';
import { lastOrganization } from './last-organization';

/** `/`: on to the organization that was looked at last. */
export function Home() {
  const { organizations } = useMe();
  const last = lastOrganization();
  const organization = organizations.find(({ id }) => id === last) ?? organizations[0];
  if (organization) return <Navigate to={`/organizations/${organization.id}`} replace />;
  return (
    <EmptyState title="You are in no organization">
      <p>Ask an administrator to invite you. Their invitation opens the organization to you.</p>
    </EmptyState>
  );
}
