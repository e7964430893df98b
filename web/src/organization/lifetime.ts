/** Units of the longest life of a key, in seconds. */
export const UNIT_SECONDS = { days: 86_400, hours: 3_600, minutes: 60, seconds: 1 } as const;

/** `none`: keys may live for ever. */
export type LifetimeUnit = keyof typeof UNIT_SECONDS | 'none';

/** A longest life as it is typed. */
export interface Lifetime {
  amount: string;
  unit: LifetimeUnit;
}

/** In the largest unit that tells it exactly. */
export function toLifetime(seconds: number | null): Lifetime {
  if (seconds === null) return { amount: '', unit: 'none' };
  const units = Object.entries(UNIT_SECONDS) as [keyof typeof UNIT_SECONDS, number][];
  const [unit, size] = units.find(([, size]) => seconds % size === 0) ?? ['seconds', 1];
  return { amount: String(seconds / size), unit };
}

/** For the API: seconds; null: for ever. */
export function toSeconds({ amount, unit }: Lifetime): number | null {
  return unit === 'none' ? null : Number(amount) * UNIT_SECONDS[unit];
}

/** In words: `30 days`, `No limit`. */
export function lifetimeText(seconds: number | null): string {
  const { amount, unit } = toLifetime(seconds);
  if (unit === 'none') return 'No limit';
  return `${amount} ${amount === '1' ? unit.slice(0, -1) : unit}`;
}

/** The least and the most that the API takes (1 hour, 10 years), in a unit. */
export function rangeIn(unit: keyof typeof UNIT_SECONDS): [least: number, most: number] {
  const size = UNIT_SECONDS[unit];
  return [Math.ceil(3_600 / size), Math.floor(315_360_000 / size)];
}
