import { newId } from '../crypto/id.js';
import { createToken } from '../crypto/token.js';
import type { Instance } from '../database/instance.js';

/** An invitation's id and secret. Made before the transaction that stores it opens. */
export interface MintedInvitation {
  /** `inv_…` */
  id: string;
  /** In the clear: for the one answer and the one mail that show it. */
  token: string;
  /** What is stored. */
  stored: { tokenHash: Uint8Array<ArrayBuffer>; pepperVersion: number };
}

/** Makes a token for an invitation, a new one or (`id`) one that exists, and hashes it. */
export function mintInvitation(
  { tokenPrefix, pepper }: Instance,
  id = newId('inv'),
): MintedInvitation {
  const token = createToken(tokenPrefix, 'invitation', id);
  const tokenHash = new Uint8Array(pepper.hash('invitation', token));
  return { id, token, stored: { tokenHash, pepperVersion: pepper.version } };
}
