import { describe, expect, it } from '@jest/globals';
import { type AuditFilters, NO_FILTERS, readFilters, withFilters } from './filters';

const EVERYTHING: AuditFilters = {
  from: '2026-11-25T00:00:00.000Z',
  to: '2026-11-26T00:00:00.000Z',
  actor: 'sa_1',
  key: 'key_1',
  action: 'key.revoked',
  target: 'key_2',
  requestId: 'req_1',
  outcome: 'denied',
};

describe('the filters of the trail in an address', () => {
  it('are read as they were written', () => {
    const search = withFilters(new URLSearchParams(), EVERYTHING);
    expect(readFilters(new URLSearchParams(search.toString()))).toEqual(EVERYTHING);
  });

  it('are only those that there are, and outcomes that there are', () => {
    expect(readFilters(new URLSearchParams('actor=&outcome=odd&trail=server&sort=x'))).toEqual({});
  });

  it('go one by one and all at once, and leave the rest of the address', () => {
    const search = withFilters(new URLSearchParams('trail=server'), EVERYTHING);
    const without = withFilters(search, { actor: undefined });
    expect(readFilters(without)).toEqual({ ...EVERYTHING, actor: undefined });
    expect(withFilters(search, NO_FILTERS).toString()).toBe('trail=server');
    // What it was made of is as before.
    expect(readFilters(search)).toEqual(EVERYTHING);
  });
});
