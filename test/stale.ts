import { PROOF_SECONDS } from '../src/auth/proof.js';
import type { TestServer } from './harness.js';

/** As if the person of a session had proved their password so many seconds ago; by default too long for what is dangerous. */
export function makeStale(
  { database }: TestServer,
  { sessionId }: { sessionId: string },
  seconds = PROOF_SECONDS + 1,
): Promise<number> {
  return database.system(
    (tx) => tx.$executeRaw`
      UPDATE sessions SET authenticated_at = clock_timestamp() - make_interval(secs => ${seconds}::int)
      WHERE id = ${sessionId}`,
  );
}
