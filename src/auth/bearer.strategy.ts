import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-http-bearer';
import type { Check, Credential } from './credentials.js';

/**
 * What the strategy sees of a request: the one header it may read (never a body or query, where
 * `passport-http-bearer` would also look) and the request's own credential check.
 */
export interface BearerRequest {
  headers: { authorization?: string };
  identify(): Check | Promise<Check>;
  /** Set by passport when the strategy has accepted the token. */
  credential?: Credential | false;
}

/**
 * The passport strategy `bearer` (RFC 6750). It keeps no state of its own, because passport's
 * register of strategies is global to the process.
 */
@Injectable()
export class BearerStrategy extends PassportStrategy(Strategy, 'bearer') {
  constructor() {
    super({ realm: 'claviger', passReqToCallback: true });
  }

  /** The credential, or `false`. Errors: `DatabaseUnavailableError`. */
  async validate(request: BearerRequest): Promise<Credential | false> {
    const check = await request.identify();
    return check.ok ? check.credential : false;
  }
}
