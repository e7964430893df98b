import { describe, expect, it } from '@jest/globals';
import { suggestRoleKey } from './role-key';

describe('suggestRoleKey', () => {
  it('makes a key of a name', () => {
    expect(suggestRoleKey('Report reader')).toBe('report-reader');
    expect(suggestRoleKey('  Königliche Prüfer!  ')).toBe('konigliche-prufer');
    expect(suggestRoleKey('2nd level – support')).toBe('nd-level-support');
  });

  it('is empty when nothing of the name can be in a key', () => {
    expect(suggestRoleKey('監査')).toBe('');
    expect(suggestRoleKey('42')).toBe('');
  });

  it('is never longer than a key can be, and ends in no hyphen', () => {
    const key = suggestRoleKey(`${'a'.repeat(62)} long`);
    expect(key).toBe('a'.repeat(62));
    expect(suggestRoleKey('b'.repeat(80))).toHaveLength(63);
  });
});
