import type { AuditEvent } from '@claviger/sdk';
import { useSearchParams } from 'react-router';

const TEXTS = ['from', 'to', 'actor', 'key', 'action', 'target', 'requestId'] as const;
const OUTCOMES = ['success', 'denied', 'error'] as const;

/** What the address of the page filters by; those given must all hold. */
export type AuditFilters = { [name in (typeof TEXTS)[number]]?: string } & {
  outcome?: (typeof OUTCOMES)[number];
};

/** The filters that are ids, with the words before them. */
export const ID_FILTERS = {
  requestId: 'Request',
  actor: 'Done by',
  target: 'Done to',
  key: 'Key',
} as const satisfies Partial<Record<keyof AuditFilters, string>>;

/** Name of a filter that is an id. */
export type IdFilter = keyof typeof ID_FILTERS;

/** The filters in the page's address, and how to change some of them; `undefined` takes one away. */
export function useFilters(): [AuditFilters, (change: Partial<AuditFilters>) => void] {
  const [search, setSearch] = useSearchParams();
  const change = (changes: Partial<AuditFilters>) =>
    setSearch((before) => withFilters(before, changes), { replace: true });
  return [readFilters(search), change];
}

/** The filters that an address names; the server refuses those that make no sense. */
export function readFilters(search: URLSearchParams): AuditFilters {
  const filters: AuditFilters = {};
  for (const name of TEXTS) {
    const value = search.get(name);
    if (value) filters[name] = value;
  }
  const outcome = OUTCOMES.find((one) => one === search.get('outcome'));
  return outcome ? { ...filters, outcome } : filters;
}

/** An address with some filters changed, and everything else that it says. */
export function withFilters(
  search: URLSearchParams,
  changes: Partial<AuditFilters>,
): URLSearchParams {
  const after = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) after.set(name, value);
    else after.delete(name);
  }
  return after;
}

/** No filter at all. */
export const NO_FILTERS: Record<keyof AuditFilters, undefined> = {
  from: undefined,
  to: undefined,
  actor: undefined,
  key: undefined,
  action: undefined,
  target: undefined,
  requestId: undefined,
  outcome: undefined,
};

/** The name of what an id filter names, where the events on the page tell it. */
export function nameOf(
  filter: IdFilter,
  id: string,
  events: readonly AuditEvent[],
): string | undefined {
  for (const { actor, key, targets } of events) {
    if (filter === 'actor' && actor.id === id && actor.name) return actor.name;
    if (filter === 'key' && key?.id === id) return key.name;
    const target = filter === 'target' && targets.find((one) => one.id === id);
    if (target) return target.name;
  }
  return undefined;
}
