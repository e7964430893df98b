import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { InstanceSecret } from './instance-secret.js';
import { Pepper } from './pepper.js';

const pepper = new Pepper(randomBytes(32));

describe('InstanceSecret', () => {
  const secret = InstanceSecret.make();
  const sealed = secret.sealed(pepper, 'uid');

  it('is the same when it is opened, and under another pepper', () => {
    const opened = InstanceSecret.open(pepper, 'uid', sealed);
    expect(opened.derive('x')).toEqual(secret.derive('x'));
    const other = new Pepper(randomBytes(32));
    const moved = InstanceSecret.open(other, 'uid', opened.sealed(other, 'uid'));
    expect(moved.derive('x')).toEqual(secret.derive('x'));
  });

  it('does not open under another pepper, for another database, or changed', () => {
    const changed = sealed.map((byte, index) => (index === 30 ? byte ^ 1 : byte));
    expect(() => InstanceSecret.open(new Pepper(randomBytes(32)), 'uid', sealed)).toThrow();
    expect(() => InstanceSecret.open(pepper, 'other', sealed)).toThrow();
    expect(() => InstanceSecret.open(pepper, 'uid', changed)).toThrow();
  });

  it('is another one for every database, and gives a key for each purpose', () => {
    expect(InstanceSecret.make().derive('x')).not.toEqual(secret.derive('x'));
    expect(secret.derive('x')).not.toEqual(secret.derive('y'));
    expect(secret.derive('x')).toHaveLength(32);
  });

  it('of the bytes of a pepper gives the keys of that pepper', () => {
    const bytes = Buffer.alloc(32, 7);
    expect(new InstanceSecret(bytes).derive('x')).toEqual(new Pepper(bytes).derive('x'));
  });

  it('does not show itself when inspected or serialized', () => {
    const known = new InstanceSecret(Buffer.alloc(32, 7));
    const shown = inspect(known, { depth: 9, showHidden: true }) + JSON.stringify(known);
    expect(shown).not.toMatch(/07 07|7,7/);
  });
});
