import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Subject } from '../audit/subject.js';
import type { Actor } from '../auth/actor.js';
import type { KeyCredential } from '../auth/credentials.js';
import { CONFIG, type Config } from '../config.js';
import { addressAllowed, clientAddress } from '../http/address.js';
import { lastingAnswers } from '../http/lasting-answer.js';
import {
  type Introspection,
  type IntrospectionInput,
  toIntrospection,
} from './introspection.dto.js';
import { PresentedTokens } from './presented-tokens.js';

/** Whether a token is good, and for what (RFC 7662). */
@Injectable()
export class IntrospectionService {
  private readonly active: (credential: KeyCredential) => Introspection;

  constructor(
    private readonly tokens: PresentedTokens,
    @Inject(CONFIG) { publicUrl }: Pick<Config, 'publicUrl'>,
  ) {
    this.active = lastingAnswers((credential) => toIntrospection(credential, publicUrl));
  }

  /**
   * Answers about a token of the caller's organization; for the caller, no other one is active. `active: true` may rest on
   * the credential cache: the audit gate proves it, and where it does not hold any more has the answer computed again, from
   * the database. Errors: `DatabaseUnavailableError`.
   */
  introspect(
    actor: Actor,
    request: FastifyRequest,
    input: IntrospectionInput,
  ): Promise<Introspection> {
    request.recompute = (again) => this.answer(again, request, input, false);
    return this.answer(actor, request, input, true);
  }

  private async answer(
    actor: Actor,
    request: FastifyRequest,
    input: IntrospectionInput,
    mayCache: boolean,
  ): Promise<Introspection> {
    let subject = await this.ask(actor, input, mayCache);
    // The cache may be behind a grant that has already returned: it refuses nobody.
    if (subject.credential === null && subject.cached) {
      subject = await this.ask(actor, input, false);
    }
    request.subject = subject;
    return subject.credential === null ? { active: false } : this.active(subject.credential);
  }

  private async ask(actor: Actor, input: IntrospectionInput, mayCache: boolean): Promise<Subject> {
    const { token, required_scope: scope, client_ip: client } = input;
    const ip = client === undefined ? null : clientAddress(client, undefined, []);
    const found = await this.tokens.look(actor, token, mayCache);
    const { targets } = found;
    if (found.credential === null) {
      return { targets, reason: found.reason, credential: null, cached: false, ip };
    }
    const reason = narrowed(found.credential, scope, ip);
    const credential = reason === null ? found.credential : null;
    return { targets, reason, credential, cached: found.cached, ip };
  }
}

/** Why a good token is not good for this question; null when it is. */
function narrowed(
  { permissions, allowedCidrs }: KeyCredential,
  requiredScope: string | undefined,
  ip: string | null,
): string | null {
  const missing = requiredScope?.split(' ').some((permission) => !permissions.has(permission));
  if (missing === true) return 'insufficient_scope';
  if (allowedCidrs.length === 0) return null;
  return ip !== null && addressAllowed(ip, allowedCidrs) ? null : 'ip_not_allowed';
}
