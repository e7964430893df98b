/** A field that somebody else has changed, and what it says now. */
export interface Difference {
  label: string;
  now: string;
}

/** What has become different, by what the fields say. */
export function differences(
  before: Record<string, string>,
  now: Record<string, string>,
): Difference[] {
  return Object.entries(now)
    .filter(([label, text]) => text !== before[label])
    .map(([label, text]) => ({ label, now: text }));
}

/** A draft on top of what is there now: fields that the person has not touched follow it. */
export function rebased<D extends object>(draft: D, before: D, now: D): D {
  const touched = Object.entries(draft).filter(
    ([field, value]) => !isSame(value, before[field as keyof D]),
  );
  return { ...now, ...Object.fromEntries(touched) };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other));
}

/** JSON has no sets. */
function plain(value: unknown): unknown {
  return value instanceof Set ? [...value].sort() : value;
}
