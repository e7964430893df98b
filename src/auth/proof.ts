import { Problem } from '../http/problem.js';
import type { Credential } from './credentials.js';

/** For so long a person who has proved their password may do what is dangerous. */
export const PROOF_SECONDS = 900;

/**
 * Refuses a person whose last proof of their password is too long ago, by the database's clock. Service accounts have no password: of
 * them permissions alone are asked. Errors: 401 `reauthentication_required`.
 */
export function requireProof(credential: Credential): void {
  if (credential.kind === 'session' && credential.proofDue) throw reauthenticationRequired();
}

/** 401 with the challenge of RFC 9470: the credential is good, but its person must prove anew who they are. */
export function reauthenticationRequired(): Problem {
  const detail = `Prove your password again: this needs a proof from the last ${PROOF_SECONDS / 60} minutes.`;
  const challenge = [
    'realm="claviger"',
    'error="insufficient_user_authentication"',
    'error_description="More recent authentication is required"',
    `max_age="${PROOF_SECONDS}"`,
  ];
  return new Problem(401, 'reauthentication_required', detail, {
    headers: { 'WWW-Authenticate': `Bearer ${challenge.join(', ')}` },
  });
}
