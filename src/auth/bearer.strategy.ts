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
  credential?: Credential;
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

  /** At once where the check is there already and good, as it is for most requests; else in the library's way. */
  override authenticate(request: never): void {
    const check = (request as BearerRequest).identify();
    if (!(check instanceof Promise) && check.ok) this.success(check.credential);
    else super.authenticate(request);
  }

  /** The credential, or `false`. Errors: `DatabaseUnavailableError`. */
  async validate(request: BearerRequest): Promise<Credential | false> {
    const check = await request.identify();
    return check.ok ? check.credential : false;
  }
}
