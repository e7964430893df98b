import type { FastifyInstance } from 'fastify';

/** The JSON of answers that are given many times. */
const texts = new WeakMap<object, string>();

/**
 * Answers that are made of something which comes again and does not change, a cached credential: each is made once, and put into
 * JSON once. It must not change any more.
 */
export function lastingAnswers<K extends object, T extends object>(make: (of: K) => T) {
  const answers = new WeakMap<K, T>();
  return (of: K): T => {
    let answer = answers.get(of);
    if (answer === undefined) {
      answer = make(of);
      answers.set(of, answer);
      texts.set(answer, JSON.stringify(answer));
    }
    return answer;
  };
}

/** Has {@link lastingAnswers} sent as the text that they have; all others are put into JSON as ever. */
export function installLastingAnswers(fastify: FastifyInstance): void {
  fastify.setReplySerializer((payload) => texts.get(payload as object) ?? JSON.stringify(payload));
}
