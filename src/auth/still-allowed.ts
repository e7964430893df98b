import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.js';
import { authenticate, authorize } from './authorize.js';
import { Identifier } from './identify.js';

/**
 * For answers that take long: asks again, and in the database, what the guards asked at the beginning, so that a key
 * revoked meanwhile gets no further page.
 */
@Injectable()
export class StillAllowed {
  constructor(private readonly identifier: Identifier) {}

  /**
   * The caller with what it may do now. Errors: `Problem` as at the beginning of a request; `DatabaseUnavailableError`.
   */
  async check(request: FastifyRequest): Promise<Actor> {
    const { question } = request;
    if (question === undefined) throw new Error('no guard has decided about this request');
    return authorize(authenticate(await this.identifier.again(request)), question);
  }
}
