import { Injectable } from '@nestjs/common';
import type { AuditTarget } from '../audit/event.js';
import type { Actor } from '../auth/actor.js';
import {
  type Check,
  Credentials,
  type KeyCredential,
  type RefusedKey,
} from '../auth/credentials.js';
import { parseToken } from '../crypto/token.js';
import { Instance } from '../database/instance.js';

/** What the caller may know of a token that it asks about. */
export type Found =
  | { credential: KeyCredential; cached: boolean; targets: AuditTarget[] }
  | {
      credential: null;
      reason: string;
      /** The key whose own token this is, or an access token of it that has not ended itself, though it is no good now. */
      key?: RefusedKey;
      targets: AuditTarget[];
    };

/** Looks at tokens that a client sends about, not with: those of keys, and access tokens, of the caller's own organization. */
@Injectable()
export class PresentedTokens {
  constructor(
    private readonly credentials: Credentials,
    private readonly instance: Instance,
  ) {}

  /**
   * Checks a token. Of what belongs to another organization nothing is told, and to people's tokens (sessions, invitations)
   * nothing is done: a look would keep a session awake. Errors: `DatabaseUnavailableError`.
   */
  async look(actor: Actor, token: string, mayCache: boolean): Promise<Found> {
    const known = mayCache ? this.credentials.known(token) : undefined;
    if (known !== undefined) return this.found(actor, known, undefined);
    const family = parseToken(this.instance.tokenPrefix, token)?.family;
    if (family !== undefined && family !== 'key') return nothing('not_a_key');
    return this.found(actor, await this.credentials.read(token, mayCache), family);
  }

  private found(actor: Actor, check: Check, family: string | undefined): Found {
    const owner = ownerOf(check);
    if (owner === undefined) return nothing(check.ok ? 'not_a_key' : check.reason);
    if (owner.organizationId !== organizationOf(actor)) return nothing('unknown');
    const targets = targetsOf(owner);
    if (check.ok && check.credential.kind === 'key') {
      return { credential: check.credential, cached: check.cached, targets };
    }
    if (check.ok) return nothing('not_a_key');
    const isOurs = check.key?.verified === true;
    const isKey = isOurs && (family === 'key' || check.key?.accessToken != null);
    return {
      credential: null,
      reason: check.reason,
      ...(isKey ? { key: check.key } : {}),
      targets,
    };
  }
}

/** The organization of a service account that calls. */
export function organizationOf({ credential }: Actor): string {
  if (credential?.kind !== 'key') throw new Error('only service accounts get here');
  return credential.organizationId;
}

function nothing(reason: string): Found {
  return { credential: null, reason, targets: [] };
}

function ownerOf(check: Check): Omit<RefusedKey, 'verified'> | undefined {
  if (!check.ok) return check.key;
  return check.credential.kind === 'key' ? check.credential : undefined;
}

/** In the order of all events about keys: the `target` filter finds them by the account, too. */
function targetsOf(owner: Omit<RefusedKey, 'verified'>): AuditTarget[] {
  return [
    { type: 'key', id: owner.keyId, name: owner.keyName },
    { type: 'serviceAccount', id: owner.accountId, name: owner.accountName },
  ];
}
