import { relativeTime } from './relative-time';

const EXACT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' });

/** A time of the API: relative, the exact one on hover and for machines; `never` where there is none. */
export function Time({ at, never = 'Never' }: { at: string | null | undefined; never?: string }) {
  if (!at) return <>{never}</>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={EXACT.format(date)}>
      {relativeTime(date)}
    </time>
  );
}

/** A time to the second, in the reader's zone. */
export function exactTime(at: string): string {
  return EXACT.format(new Date(at));
}
