/** So long is what {@link parseTimestamp} reads at most: nine digits of a second, and an offset. */
export const MAX_TIMESTAMP_LENGTH = 35;

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|([+-])(\d{2}):(\d{2}))$/i;

/**
 * Reads an RFC 3339 date-time. Undefined unless it is a moment of a day that exists, with an offset, in the years 0001 to
 * 9999 UTC. Stricter than `Date.parse`, which takes 30 February for 2 March. Finer than milliseconds is cut off.
 */
export function parseTimestamp(text: string): Date | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsetHours = Number(match[10] ?? 0);
  const offsetMinutes = Number(match[11] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const sign = match[9] === '-' ? 1 : -1;
  date.setUTCHours(hour, minute + sign * (offsetHours * 60 + offsetMinutes), second, milliseconds);
  const utcYear = date.getUTCFullYear();
  return utcYear >= 1 && utcYear <= 9999 ? date : undefined;
}

/** The moment of a string that `IsTimestamp` has let through; undefined and null stay what they are. */
export function toDate<T extends string | null | undefined>(
  text: T,
): T extends string ? Date : Exclude<T, string> {
  if (text === undefined || text === null) return text as never;
  const date = parseTimestamp(text);
  if (date === undefined) throw new RangeError('toDate: not a validated date-time');
  return date as never;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
