import { describe, expect, it, jest } from '@jest/globals';
import argon2 from '@node-rs/argon2';

const checked = jest.fn(argon2.verify);
jest.unstable_mockModule('@node-rs/argon2', () => ({ ...argon2, verify: checked }));
const { PasswordHasher, PasswordsBusyError } = await import('./password.js');

const PASSWORD = 'correct horse battery staple';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher();

  it('knows its password and no other', async () => {
    const stored = await hasher.hash(PASSWORD);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await hasher.verify(stored, PASSWORD)).toBe(true);
    expect(await hasher.verify(stored, `${PASSWORD} `)).toBe(false);
    expect(await hasher.verify(stored, '')).toBe(false);
  });

  it('salts: one password, two hashes', async () => {
    const [one, two] = await Promise.all([hasher.hash(PASSWORD), hasher.hash(PASSWORD)]);
    expect(one).not.toBe(two);
  });

  it('takes a character for the same however it was typed', async () => {
    const composed = 'mot de passe d\u00e9j\u00e0 vu';
    const stored = await hasher.hash(composed);
    expect(await hasher.verify(stored, composed.normalize('NFD'))).toBe(true);
  });

  it('says false for no user and for malformed hashes, after the same work', async () => {
    const stored = await hasher.hash(PASSWORD);
    for (const hash of [null, '', 'x', '$2b$10$abcdefghijklmnopqrstuv', stored.slice(0, 50)]) {
      checked.mockClear();
      expect(await hasher.verify(stored, 'wrong')).toBe(false);
      expect(await hasher.verify(hash, 'wrong')).toBe(false);
      // One argon2 each, with the same parameters and password: nothing else takes time.
      const [known, unknown] = checked.mock.calls.map(([with_, password]) => ({
        ...argon2.parseOptions(String(with_)),
        length: with_.length,
        password,
      }));
      expect(checked).toHaveBeenCalledTimes(2);
      expect(known).toMatchObject({ memoryCost: 65_536, timeCost: 3, parallelism: 1 });
      expect(unknown).toEqual(known);
    }
  });
});

describe('PasswordHasher under load', () => {
  it('lets 2 work and 16 wait, and turns the others away at once', async () => {
    const flooded = new PasswordHasher();
    const order: string[] = [];
    const answers = Array.from({ length: 40 }, () =>
      flooded.verify(null, PASSWORD).then(
        (matches) => order.push(`checked: ${matches}`),
        (error: Error) => order.push(error.constructor.name),
      ),
    );
    await Promise.all(answers);
    // Those turned away had their answer before the first password was through.
    expect(order.slice(0, 22)).toEqual(Array(22).fill(PasswordsBusyError.name));
    expect(order.slice(22)).toEqual(Array(18).fill('checked: false'));
    expect(await flooded.verify(null, PASSWORD)).toBe(false);
  });

  it('frees its place when the work fails', async () => {
    const own = new PasswordHasher();
    const notText = 42 as unknown as string;
    for (let round = 0; round < 20; round++) await expect(own.hash(notText)).rejects.toThrow();
    expect(await own.verify(null, PASSWORD)).toBe(false);
  });
});
