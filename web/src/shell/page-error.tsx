import { useRouteError } from 'react-router';
import { Button } from '../ui/button';
import { EmptyState, useTitle } from '../ui/page';

/** A page that broke, or could not be loaded: after an upgrade of the server its old parts are gone. */
export function PageError() {
  useTitle('Something broke');
  console.error(useRouteError());
  return (
    <EmptyState
      title="This page could not be shown"
      action={
        <Button variant="primary" onClick={() => window.location.reload()}>
          Reload
        </Button>
      }
    >
      <p>The server may have been upgraded meanwhile. Reloading usually mends it.</p>
    </EmptyState>
  );
}
