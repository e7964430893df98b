import { inFileName } from '../api/save-file';
import { ExportDialog } from '../export/export-dialog';
import type { Chain } from './chain';
import type { AuditFilters } from './filters';

/** Downloads what the filters let through, up to the trail's end of now. */
export function ExportTrail({
  chain,
  filters,
  onClose,
}: {
  chain: Chain;
  filters: AuditFilters;
  onClose: () => void;
}) {
  const day = new Date().toISOString().slice(0, 10);
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <ExportDialog
      title="Export the trail"
      description={
        isFiltered
          ? 'The events that the filters of this page let through, newest first.'
          : 'All events up to now, newest first.'
      }
      row="event"
      fileName={`audit-trail-${inFileName(chain.of)}-${day}`}
      open={(format, signal) => chain.download({ ...filters, format }, signal)}
      onClose={onClose}
    />
  );
}
