declare module 'passport-http-bearer' {
  import type { Strategy as PassportStrategy } from 'passport';

  /** The parts of the library's API that are used here; it ships no types. */
  export class Strategy extends PassportStrategy {
    constructor(
      options: { realm?: string; scope?: string | string[]; passReqToCallback?: boolean },
      verify: (...parameters: unknown[]) => void,
    );
  }
}
