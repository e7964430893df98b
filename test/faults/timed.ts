import type { Answer } from '../client.js';

/** An answer, and how many milliseconds it took. */
export interface Timed {
  answer: Answer;
  ms: number;
}

/** Sends a request and looks at the clock. */
export async function timed(request: () => Promise<Answer>): Promise<Timed> {
  const begun = performance.now();
  const answer = await request();
  return { answer, ms: performance.now() - begun };
}
