import type { FastifyInstance } from 'fastify';

/** The JSON of answers that are given many times. */
const texts = new WeakMap<object, string>();

/** Says that an answer will be given again as it is, so that it is put into JSON only once. It must not change any more. */
export function lasting<T extends object>(answer: T): T {
  texts.set(answer, JSON.stringify(answer));
  return answer;
}

/** Has {@link lasting} answers sent as the text that they have; all others are put into JSON as ever. */
export function installLastingAnswers(fastify: FastifyInstance): void {
  fastify.setReplySerializer((payload) => texts.get(payload as object) ?? JSON.stringify(payload));
}
