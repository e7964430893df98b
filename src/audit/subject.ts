import type { KeyCredential } from '../auth/credentials.js';
import type { AuditTarget } from './event.js';

/** Whom an answer speaks of besides the caller: it stands on the trail, and the answer rests on it too. */
export interface Subject {
  /** Named on the trail; nobody whom the caller may not know of. */
  targets: AuditTarget[];
  /** Why the answer says no; null when it says yes. */
  reason: string | null;
  /**
   * The good credential of the caller's organization that the answer says yes to, so that it counts as used; null when the
   * answer says no, which never rests on the cache.
   */
  credential: KeyCredential | null;
  /** Whether the credential came from the cache. */
  cached: boolean;
  /** Where it is being used, if the caller has told. */
  ip: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    subject?: Subject;
    /** The answer must not leave unless the caller's credential still is what it was, though it did not come from the cache. */
    isConditional?: boolean;
  }
}
