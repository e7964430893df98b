import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../client.js';
import type { Parties } from './installation.js';
import type { Ledger } from './ledger.js';

const READERS = 8;
const CHANGERS = 8;
/** After a request that nobody answered, or that was to be tried again later. */
const PAUSE_MS = 50;

/** Makes names of keys unique over all loads of a process. */
let count = 0;

/**
 * Readers, and changers that each create a key and revoke it, one request after the other; all that they receive goes into
 * the ledger. Answers how to end it, which waits for the last answers.
 */
export function startLoad({ admin, accounts, path }: Parties, ledger: Ledger): () => Promise<void> {
  let isOver = false;
  const ask = async (request: () => Promise<Answer>): Promise<Answer | undefined> => {
    while (!isOver) {
      try {
        const answer = await request();
        ledger.note(answer);
        if (answer.status === 503) await delay(PAUSE_MS);
        return answer;
      } catch (error) {
        await delay(PAUSE_MS);
        // Nobody is there: nothing has been sent, so there is nothing to lose.
        if ((error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED') continue;
        ledger.lost += 1;
        return undefined;
      }
    }
    return undefined;
  };
  const read = async (n: number): Promise<void> => {
    const reader = admin.withToken(accounts[n % accounts.length]!.token);
    const requests = [
      () => reader.get('/v1/me'),
      () => reader.get(`${path}/service-accounts?limit=2`),
    ];
    for (let turn = n; !isOver; turn += 1) await ask(requests[turn % requests.length]!);
  };
  const change = async (n: number): Promise<void> => {
    const { keys } = accounts[n % accounts.length]!;
    while (!isOver) {
      const name = `fault-${(count += 1)}`;
      const created = await ask(() => admin.post(keys, { name }, { 'idempotency-key': name }));
      if (created?.status !== 201) {
        // Refused for good is nothing; everything else may have happened.
        if (created === undefined || created.status >= 500)
          ledger.noteDoubtful({ path: keys, name });
        continue;
      }
      ledger.noteCreated(name, created.body.id);
      const revoked = await ask(() => admin.delete(`${keys}/${created.body.id}`));
      if (revoked?.status === 204) ledger.noteRevoked(created.body.id);
    }
  };
  const running = [
    ...Array.from({ length: READERS }, (_, n) => read(n)),
    ...Array.from({ length: CHANGERS }, (_, n) => change(n)),
  ];
  return async () => {
    isOver = true;
    await Promise.all(running);
  };
}
