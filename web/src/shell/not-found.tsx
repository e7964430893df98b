import { ButtonLink } from '../ui/button';
import { EmptyState, useTitle } from '../ui/page';

/** An address with nothing behind it, or nothing for this person. */
export function NotFound() {
  useTitle('Not found');
  return (
    <EmptyState
      title="There is nothing here"
      action={
        <ButtonLink to="/" variant="primary">
          Go to your settings
        </ButtonLink>
      }
    >
      <p>The address is wrong, what it named is gone, or it is not yours to see.</p>
    </EmptyState>
  );
}
