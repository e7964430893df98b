import { Fragment } from 'react';
import { Navigate, Outlet } from 'react-router';
import { isSuspended, useOrganization } from '../session/session';
import { ButtonLink } from '../ui/button';
import { EmptyState, useTitle } from '../ui/page';
import { entryOf, type SettingsPage, useMissing } from './settings-pages';

/** Opens a page to those who may read it; tells everybody else what is missing, without asking the server. */
export function RequireAccess({ page }: { page: SettingsPage }) {
  const missing = useMissing()(page);
  return missing.length === 0 ? <Outlet /> : <NoAccess missing={missing} />;
}

function NoAccess({ missing }: { missing: readonly string[] }) {
  const organization = useOrganization();
  useTitle('No access');
  return (
    <EmptyState
      title="You do not have access to this page"
      action={
        <ButtonLink to={`/organizations/${organization.id}`} variant="primary">
          Go to your settings
        </ButtonLink>
      }
    >
      {isSuspended(organization) ? (
        <p>While an organization is suspended, only its own page can be opened.</p>
      ) : (
        <p>
          It needs {missing.length === 1 ? 'the permission' : 'the permissions'}{' '}
          {missing.map((permission, index) => (
            <Fragment key={permission}>
              {index > 0 && ' and '}
              <code>{permission}</code>
            </Fragment>
          ))}
          , which your role {organization.role.name} does not have. An administrator of{' '}
          {organization.name} can give you a role that has it.
        </p>
      )}
    </EmptyState>
  );
}

/** An organization's address without a page: on to the first page that the person may read. */
export function FirstPage({ pages }: { pages: readonly SettingsPage[] }) {
  const missing = useMissing();
  const open = pages.filter((page) => page.menu && missing(page).length === 0);
  // What is the server's, and not the organization's, comes last.
  const first = open.find(({ needs }) => missing({ needs }).length === 0) ?? open[0];
  return first ? <Navigate to={entryOf(first)} replace /> : <NoPage />;
}

/** In an organization whose settings are closed to the person. */
function NoPage() {
  const organization = useOrganization();
  useTitle(organization.name);
  return (
    <EmptyState
      title="There is nothing here for you yet"
      action={<ButtonLink to="/profile">Go to your profile</ButtonLink>}
    >
      <p>
        {isSuspended(organization)
          ? 'While an organization is suspended, only its own page can be opened, and your role does not let you see it.'
          : `Your role in ${organization.name}, ${organization.role.name}, opens none of its settings. If you need them, ask an administrator of the organization for another role.`}
      </p>
    </EmptyState>
  );
}
