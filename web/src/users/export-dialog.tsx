import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { saveFile } from '../api/save-file';
import { useOrganization } from '../session/session';
import { Button } from '../ui/button';
import { Dialog, DialogBody, DialogFooter } from '../ui/dialog';
import { CheckField } from '../ui/check-field';
import { SelectField } from '../ui/select';
import { ProblemNotice } from '../ui/notice';
import { Progress } from '../ui/progress';
import { toast } from '../ui/toast';
import type { queryOf } from './user-filters';

type Format = 'csv' | 'ndjson';
type Query = ReturnType<typeof queryOf>;

/** Downloads users as a file: all, or those that the filters of the list leave. */
export function ExportDialog({ query, onClose }: { query: Query; onClose: () => void }) {
  const { search, status, role } = query;
  const isFiltered = Boolean(search ?? status ?? role);
  const [format, setFormat] = useState<Format>('csv');
  const [followsFilters, setFollowsFilters] = useState(isFiltered);
  const { download, rows } = useDownload(format, followsFilters ? query : {}, onClose);
  return (
    <Dialog open onClose={onClose} title="Export users">
      <DialogBody>
        <SelectField
          name="format"
          label="Format"
          choices={[
            { value: 'csv', label: 'CSV', note: 'For spreadsheets.' },
            { value: 'ndjson', label: 'NDJSON', note: 'A JSON object in each line, for programs.' },
          ]}
          value={format}
          onChange={(chosen) => setFormat(chosen === 'ndjson' ? 'ndjson' : 'csv')}
          disabled={download.isPending}
        />
        {isFiltered && (
          <CheckField
            label="Only users that match the filters of the list"
            checked={followsFilters}
            onChange={setFollowsFilters}
            disabled={download.isPending}
          />
        )}
        <ProblemNotice error={download.error} />
        {download.isPending && (
          <Progress label="Exporting users">{rows.toLocaleString('en')} users</Progress>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="primary" busy={download.isPending} onClick={() => download.mutate()}>
          Export
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

/** The download, and how many rows of it have come; leaving the dialog ends it. */
function useDownload(format: Format, query: Query, onDone: () => void) {
  const { id: organizationId, name } = useOrganization();
  const [rows, setRows] = useState(0);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const download = useMutation({
    mutationFn: async () => {
      setRows(0);
      abort.current = new AbortController();
      const { signal } = abort.current;
      const stream = await api.exports.users({ organizationId, ...query, format }, { signal });
      const parts: BlobPart[] = [];
      // The head of CSV is a line, but no user.
      let count = format === 'csv' ? -1 : 0;
      for await (const part of piecesOf(stream)) {
        parts.push(part);
        count += newlinesIn(part);
        setRows(Math.max(0, count));
      }
      return new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' });
    },
    onSuccess: (file) => {
      saveFile(`${fileName(name)}-users.${format}`, file);
      toast('The users are downloaded');
      onDone();
    },
  });
  return { download, rows };
}

async function* piecesOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value as Uint8Array<ArrayBuffer>;
  }
}

function newlinesIn(bytes: Uint8Array): number {
  const NEWLINE = 10;
  let found = 0;
  for (const byte of bytes) if (byte === NEWLINE) found += 1;
  return found;
}

function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'claviger';
}
