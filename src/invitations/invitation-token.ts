import { newId } from '../crypto/id.js';
import { createToken } from '../crypto/token.js';
import type { Instance } from '../database/instance.js';

/** An invitation's id and secret. Made before the transaction that stores it opens. */
export interface MintedInvitation {
  /** `inv_…` */
  id: string;
  /** In the clear, for the one answer that shows it: whoever invites holds it too. */
  token: string;
  /** In the clear, for the one mail: who holds it reads the mail. */
  mailToken: string;
  /** What is stored. */
  stored: StoredTokens;
}

/** The two tokens of an invitation, hashed. */
export interface StoredTokens {
  tokenHash: Uint8Array<ArrayBuffer>;
  mailTokenHash: Uint8Array<ArrayBuffer>;
  pepperVersion: number;
}

/** Makes the tokens of an invitation, a new one or (`id`) one that exists, and hashes them. */
export function mintInvitation(
  { tokenPrefix, pepper }: Instance,
  id = newId('inv'),
): MintedInvitation {
  const [token, mailToken] = [
    createToken(tokenPrefix, 'invitation', id),
    createToken(tokenPrefix, 'invitation', id),
  ];
  const hashOf = (secret: string) => new Uint8Array(pepper.hash('invitation', secret));
  const stored = {
    tokenHash: hashOf(token),
    mailTokenHash: hashOf(mailToken),
    pepperVersion: pepper.version,
  };
  return { id, token, mailToken, stored };
}
