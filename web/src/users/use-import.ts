import { useMutation, type UseMutationResult } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useOrganization } from '../session/session';
import { countLines, type ImportedRow, type ImportSummary, importUsers } from './import-users';
import { useRefreshUsers } from './use-refresh-users';

/** How far an import is. */
export interface ImportProgress {
  validateOnly: boolean;
  /** Lines of the file that are answered for, and that there are. */
  line: number;
  lines: number;
  rows: number;
  failed: ImportedRow[];
  /** Undefined while it runs, or when the answer broke off. */
  summary: ImportSummary | undefined;
}

/** An import of a file, row by row. */
export interface Import {
  progress: ImportProgress | undefined;
  /** Variables: the file, and whether it is only checked. */
  work: UseMutationResult<void, Error, { file: File; validateOnly: boolean }>;
  /** Ends it: what is done stays done. */
  stop: () => void;
  /** True when it was ended so. */
  isStopped: boolean;
  /** Forgets it, for another file. */
  reset: () => void;
}

/** How often the page shows how far it is; a row may take less than a millisecond. */
const SHOWN_EVERY_MS = 120;

/** Runs imports one at a time; leaving the page ends one. */
export function useImport(): Import {
  const { id: organizationId } = useOrganization();
  const refresh = useRefreshUsers();
  const [progress, setProgress] = useState<ImportProgress>();
  const [isStopped, setStopped] = useState(false);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const work = useMutation<void, Error, { file: File; validateOnly: boolean }>({
    mutationFn: async ({ file, validateOnly }) => {
      setStopped(false);
      setProgress(undefined);
      const controller = new AbortController();
      abort.current = controller;
      const lines = await countLines(file);
      const rows = importUsers(organizationId, file, { validateOnly, signal: controller.signal });
      await follow(rows, { ...NOTHING, validateOnly, lines }, setProgress);
    },
    // Also after a failure: the rows before it are done.
    onSettled: (_data, _error, { validateOnly }) => (validateOnly ? undefined : refresh()),
  });
  return {
    progress,
    work,
    isStopped,
    stop: () => {
      setStopped(true);
      abort.current?.abort();
    },
    reset: () => {
      setProgress(undefined);
      setStopped(false);
      work.reset();
    },
  };
}

const NOTHING = { line: 0, rows: 0, failed: [], summary: undefined };

async function follow(
  answer: AsyncIterable<ImportedRow | ImportSummary>,
  start: ImportProgress,
  show: (progress: ImportProgress) => void,
): Promise<void> {
  const progress = { ...start, failed: [...start.failed] };
  let shownAt = 0;
  const showNow = () => show({ ...progress, failed: [...progress.failed] });
  try {
    for await (const item of answer) {
      if ('totals' in item) progress.summary = item;
      else {
        progress.line = item.line;
        progress.rows += 1;
        if (item.status === 'failed') progress.failed.push(item);
      }
      if (Date.now() - shownAt < SHOWN_EVERY_MS) continue;
      shownAt = Date.now();
      showNow();
    }
  } finally {
    if (progress.rows > 0 || progress.summary) showNow();
  }
}
