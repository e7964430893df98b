/** A month in UTC. */
export interface Month {
  /** `2026_12` */
  name: string;
  /** Its first moment. */
  from: Date;
  /** The first moment after it. */
  to: Date;
}

/** The month of a time, or one so many months later. */
export function monthOf(time: Date, later = 0): Month {
  const year = time.getUTCFullYear();
  const month = time.getUTCMonth() + later;
  const from = new Date(Date.UTC(year, month));
  const to = new Date(Date.UTC(year, month + 1));
  return { name: from.toISOString().slice(0, 7).replace('-', '_'), from, to };
}

/** The month of this name; undefined for other text. */
export function monthNamed(name: string): Month | undefined {
  const [, year, month] = /^(\d{4})_(0[1-9]|1[0-2])$/.exec(name) ?? [];
  return year === undefined
    ? undefined
    : monthOf(new Date(Date.UTC(Number(year), Number(month) - 1)));
}

/**
 * Whether a time lies so many months back and more: on the same day of the month, or the first one after it where there is none.
 */
export function isPast(time: Date, months: number, now: Date): boolean {
  const end = new Date(time);
  end.setUTCMonth(end.getUTCMonth() + months);
  return end <= now;
}
