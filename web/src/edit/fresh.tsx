import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { DialogBody, firstFieldIn } from '../ui/dialog';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import styles from './fresh.module.css';

/**
 * Reads what a dialog is about to change: a row of a list has no entity tag, and may be minutes old. It is read once; the form
 * has it from there on.
 */
export function Fresh<T>({
  of,
  read,
  children,
}: {
  /** What it is, for the cache: the id of the resource, and what it belongs to. */
  of: readonly string[];
  read: () => Promise<T>;
  children: (resource: T) => ReactNode;
}) {
  const query = useQuery({
    queryKey: ['editing', ...of],
    queryFn: read,
    staleTime: Infinity,
    gcTime: 0,
    // The tag belongs to the very object that was answered.
    structuralSharing: false,
  });
  const { data, error } = query;
  if (data !== undefined) return <Arrived>{children(data)}</Arrived>;
  return (
    <DialogBody>{error ? <ProblemNotice error={error} retry={query} /> : <Loading />}</DialogBody>
  );
}

/** The dialog opened without a field to begin with: the focus goes there now. A finger has not asked for a keyboard. */
function Arrived({ children }: { children: ReactNode }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) firstFieldIn(frame.current)?.focus();
  }, []);
  return (
    <div ref={frame} className={styles.frame}>
      {children}
    </div>
  );
}
