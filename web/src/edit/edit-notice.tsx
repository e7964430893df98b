import { isProblem } from '../api/client';
import { Notice, ProblemNotice } from '../ui/notice';
import type { Difference } from './rebase';

/** Why a form is not saved: somebody else was faster, and with what; or what the server says. */
export function EditNotice({
  edit: { save, overtaken },
}: {
  edit: { save: { error: unknown }; overtaken: readonly Difference[] };
}) {
  if (!isProblem(save.error, 'precondition_failed')) return <ProblemNotice error={save.error} />;
  return (
    <Notice tone="warning" role="alert" title="Somebody else has changed it meanwhile">
      <p>Nothing of yours is saved yet, and nothing of it is lost. This is there now:</p>
      <ul>
        {overtaken.map(({ label, now }) => (
          <li key={label}>
            {label}: {now || 'nothing'}
          </li>
        ))}
      </ul>
      <p>
        Fields that you have not touched show it already. Save again to put yours in place of the
        others.
      </p>
    </Notice>
  );
}
