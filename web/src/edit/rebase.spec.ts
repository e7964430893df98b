import { describe, expect, it } from '@jest/globals';
import { differences, rebased } from './rebase';

describe('rebased', () => {
  const before = { name: 'CRM', owner: { id: 'u_1' }, permissions: new Set(['a', 'b']) };

  it('keeps what the person has touched, and lets the rest follow', () => {
    const draft = { ...before, name: 'Mine' };
    const now = { name: 'Theirs', owner: { id: 'u_2' }, permissions: new Set(['a']) };
    expect(rebased(draft, before, now)).toEqual({ ...now, name: 'Mine' });
  });

  it('compares what values say: another object, or the same set in another order, is untouched', () => {
    const draft = { ...before, owner: { id: 'u_1' }, permissions: new Set(['b', 'a']) };
    const now = { ...before, owner: { id: 'u_3' }, permissions: new Set(['c']) };
    expect(rebased(draft, before, now)).toEqual(now);
    const ticked = { ...before, permissions: new Set(['a', 'b', 'c']) };
    expect(rebased(ticked, before, now).permissions).toEqual(new Set(['a', 'b', 'c']));
  });
});

describe('differences', () => {
  it('tells what each changed field says now', () => {
    expect(differences({ Name: 'A', Role: 'Viewer' }, { Name: 'A', Role: '' })).toEqual([
      { label: 'Role', now: '' },
    ]);
  });
});
