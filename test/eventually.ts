import { setImmediate as turn } from 'node:timers/promises';

/** Looks again and again, for 10 seconds, until there is something, and answers it. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await turn(); // the embedded database answers without letting the sockets have theirs
  }
  throw new Error('waited in vain');
}
