const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const EXACT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' });
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** How long ago, or how long until: `3 hours ago`, `in 2 days`, `just now`. */
export function relativeTime(at: Date, now = new Date()): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 0 ? 'in a moment' : 'just now';
}

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
