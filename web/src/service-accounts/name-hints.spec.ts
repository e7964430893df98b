import { describe, expect, it } from '@jest/globals';
import { nameHints } from './name-hints';

describe('nameHints', () => {
  it('has none for a name that says what it connects', () => {
    for (const name of ['Salesforce → user sync', 'Nightly backup', 'test-lab importer']) {
      expect(nameHints(name)).toEqual([]);
    }
  });

  it('asks for what it connects when nothing else is said', () => {
    for (const name of ['test', 'My API key', 'new_service-account 2', 'Prod']) {
      expect(nameHints(name)).toEqual([expect.stringContaining('what it connects')]);
    }
  });

  it('asks for more words, and not for a person', () => {
    expect(nameHints('CRM')).toEqual([expect.stringContaining('A few more words')]);
    expect(nameHints('ada@example.com')).toEqual([expect.stringContaining('not a person')]);
    expect(nameHints('Mr Smith’s export')).toEqual([expect.stringContaining('not a person')]);
  });

  it('says nothing before anything is typed', () => {
    expect(nameHints('  ')).toEqual([]);
  });
});
