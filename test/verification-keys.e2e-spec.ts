import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VerificationKeys } from '../src/auth/verification-keys.js';
import { DatabaseService, type RawStatement } from '../src/database/database.service.js';
import { aPerson } from './factories.js';
import { type Client, startServer, type TestServer } from './harness.js';

let server: TestServer;
let keys: VerificationKeys;
let administrator: Client;
/** How many reads of the keys have begun, and what each awaits before its rows get back. */
let begun = 0;
let hold: Promise<void> | undefined;

beforeEach(async () => {
  server = await startServer();
  keys = server.app.get(VerificationKeys);
  administrator = (await aPerson(server, null, { instanceAdministrator: true })).client;
  const database = server.app.get(DatabaseService);
  const raw = database.raw.bind(database);
  begun = 0;
  hold = undefined;
  database.raw = async <R extends object>(statement: RawStatement, values: unknown[]) => {
    if (statement.name !== 'verification_keys') return raw<R>(statement, values);
    begun += 1;
    const held = hold;
    const rows = await raw<R>(statement, values);
    await held;
    return rows;
  };
});
afterEach(() => server.close());

const published = async (): Promise<string[]> =>
  (await server.client.get('/.well-known/jwks.json')).body.keys.map(
    ({ kid }: { kid: string }) => kid,
  );

const rotate = async (revokeOld = false): Promise<string> =>
  (await administrator.post('/v1/signing-keys/rotate', { revokeOld })).body.kid;

const invented = (n = 0) => String(n).padStart(43, 'A');

/** Reads that begin now get their rows, but not back until they are let go. */
function holdReads(): () => void {
  let letGo = (): void => undefined;
  hold = new Promise((resolve) => (letGo = resolve));
  return () => {
    hold = undefined;
    letGo();
  };
}

/** A key that another instance has made, of which this one has just been asked: nothing tells it. */
async function madeElsewhere(): Promise<string> {
  const kid = await rotate();
  const row = await server.database.system((tx) => tx.signingKey.findUnique({ where: { kid } }));
  await server.database.system((tx) => tx.signingKey.delete({ where: { kid } }));
  expect(await keys.find(kid)).toBeUndefined();
  const { publicKey, ...rest } = row!;
  await server.database.system((tx) =>
    tx.signingKey.create({ data: { ...rest, publicKey: publicKey as object } }),
  );
  return kid;
}

describe('the public keys', () => {
  it('are shown without a look at the table by every request', async () => {
    await published();
    begun = 0;
    for (let n = 0; n < 10; n += 1) expect(await published()).toHaveLength(1);
    expect(begun).toBe(0);
  });

  it('are read once for all who ask at once', async () => {
    keys.refresh();
    begun = 0;
    const answers = await Promise.all(Array.from({ length: 20 }, () => published()));
    for (const answer of answers) expect(answer).toHaveLength(1);
    expect(begun).toBe(1);
  });

  it('are shown as they are from the moment that a change here has returned', async () => {
    const [first] = await published();
    const second = await rotate();
    expect(await published()).toEqual([second, first]);
    const third = await rotate(true);
    expect(await published()).toEqual([third]);
  });

  it('are not shown as a read found them that began before a change', async () => {
    keys.refresh();
    const letGo = holdReads();
    begun = 0;
    const early = keys.published();
    while (begun === 0) await Promise.resolve();
    const changed = await rotate(true);
    const late = keys.published();
    letGo();
    await early;
    expect((await late).keys).toMatchObject([{ kid: changed }]);
    expect(await published()).toEqual([changed]);
  });

  it('are asked again after the database was away', async () => {
    keys.refresh();
    hold = Promise.reject(new Error('away'));
    await expect(keys.published()).rejects.toThrow('away');
    hold = undefined;
    expect(await published()).toHaveLength(1);
  });
});

describe('a key id that is not known', () => {
  it('is found when another instance has just made it, although it was asked for in vain a moment before', async () => {
    expect(await keys.find(await madeElsewhere())).toBeDefined();
  });

  it('is never answered by a read that began before the question', async () => {
    const letGo = holdReads();
    begun = 0;
    const early = keys.find(invented());
    while (begun === 0) await Promise.resolve();
    const made = await rotate(true);
    const late = keys.find(made);
    letGo();
    expect(await early).toBeUndefined();
    expect(await late).toBeDefined();
  });

  it('costs one read that runs and one that waits, however many are asked for', async () => {
    begun = 0;
    const letGo = holdReads();
    const first = keys.find(invented());
    while (begun === 0) await Promise.resolve();
    const others = Array.from({ length: 100 }, (_, n) => keys.find(invented(n)));
    letGo();
    await Promise.all([first, ...others]);
    expect(begun).toBe(2);
  });
});
