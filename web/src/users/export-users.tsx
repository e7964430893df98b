import { useState } from 'react';
import { api } from '../api/client';
import { inFileName } from '../api/save-file';
import { ExportDialog } from '../export/export-dialog';
import { useOrganization } from '../session/session';
import { CheckField } from '../ui/check-field';
import type { queryOf } from './query';

/** Downloads users as a file: all, or those that the filters of the list leave. */
export function ExportUsers({
  query,
  onClose,
}: {
  query: ReturnType<typeof queryOf>;
  onClose: () => void;
}) {
  const { id: organizationId, name } = useOrganization();
  const { search, status, role } = query;
  const isFiltered = Boolean(search ?? status ?? role);
  const [followsFilters, setFollowsFilters] = useState(isFiltered);
  const chosen = followsFilters ? query : {};
  return (
    <ExportDialog
      title="Export users"
      row="user"
      fileName={`${inFileName(name)}-users`}
      open={(format, signal) =>
        api.exports.users({ organizationId, ...chosen, format }, { signal })
      }
      onClose={onClose}
    >
      {(isRunning) =>
        isFiltered && (
          <CheckField
            label="Only users that match the filters of the list"
            checked={followsFilters}
            onChange={setFollowsFilters}
            disabled={isRunning}
          />
        )
      }
    </ExportDialog>
  );
}
