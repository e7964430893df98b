/** The answer of a probe. */
export class Health {
  /** @example ok */
  status: 'ok';
}
