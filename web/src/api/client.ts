import { createClient, ProblemError } from '@claviger/sdk';
import { withProof } from './proof';

/**
 * The API of the server that the panel came from. The session is a cookie that no script can read. Nobody looks at an empty page
 * for half a minute: longer waits are told. Whoever does what is dangerous may be asked for their password meanwhile.
 */
export const api = createClient({
  baseUrl: window.location.origin,
  maxDelaySeconds: 5,
  fetch: (input, init) => {
    const request = new Request(input, init);
    return withProof(() => fetch(request.clone()));
  },
});

/**
 * Errors of a form, by the name of the field: the JSON pointer without its first slash. What is said of an entry of a list
 * (`allowedCidrs/1`) stands at the list, with the number of the entry.
 */
export type FieldErrors = Record<string, string[]>;

const NO_ERRORS: FieldErrors = {};
const known = new WeakMap<ProblemError, FieldErrors>();

/**
 * What a refusal says of single fields; `{}` when it is about none. The same object for the same refusal: a form takes
 * another one for a new answer, and would mark a field again that has been corrected.
 */
export function fieldErrors(error: unknown): FieldErrors {
  if (!(error instanceof ProblemError)) return NO_ERRORS;
  const before = known.get(error);
  if (before) return before;
  const errors: FieldErrors = {};
  for (const { pointer = '', detail } of error.problem?.errors ?? []) {
    const [, name, entry] = /^\/?(.*?)(?:\/(\d+)(?:\/.*)?)?$/.exec(pointer) ?? [];
    const text = entry === undefined ? detail : `Entry ${Number(entry) + 1}: ${detail}`;
    (errors[name ?? ''] ??= []).push(text);
  }
  known.set(error, errors);
  return errors;
}

/** What a refusal says of a list whose entries are chosen, not numbered: each reason once; `''` for nothing. */
export function reasonsAt(error: unknown, list: string): string {
  if (!(error instanceof ProblemError)) return '';
  const at = (error.problem?.errors ?? []).filter(
    ({ pointer }) => pointer === `/${list}` || pointer?.startsWith(`/${list}/`),
  );
  return [...new Set(at.map(({ detail }) => detail))].join(' ');
}

/** Whether an error is a refusal with this stable code. */
export function isProblem(error: unknown, code: string): error is ProblemError {
  return error instanceof ProblemError && error.code === code;
}

/** Whether somebody was asked for their password, and would rather not: nothing was done, and nobody need be told. */
export function isUnproved(error: unknown): boolean {
  return isProblem(error, 'reauthentication_required');
}

/**
 * Whether a refusal says that nobody is logged in. So does the one for a flood of bad credentials: a good session is never part of
 * one, whoever else shares its address.
 */
export function isLoggedOut(error: unknown): error is ProblemError {
  return (
    error instanceof ProblemError &&
    !isUnproved(error) &&
    (error.status === 401 || error.code === 'too_many_bad_credentials')
  );
}
