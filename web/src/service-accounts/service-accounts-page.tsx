import { PageHeader } from '../ui/page';

/** The organization's service accounts. */
export function Component() {
  return <PageHeader title="Service accounts" />;
}
