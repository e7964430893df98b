import type { Request, RequestHandler } from 'express';
import { AccessDeniedError, requireAccess } from './protect/access.js';
import type { TokenVerifier, VerifiedToken } from './protect/verified-token.js';

/** A request that has passed {@link protect}. */
export interface ProtectedRequest extends Request {
  token: VerifiedToken;
}

/**
 * Makes the middleware that lets in who may do something: `app.get('/reports', permission('reports:download'), …)`. Refusals leave
 * as problem+json. Keys that are bound to networks are compared with `request.ip`: behind a proxy set Express's `trust proxy`.
 * @returns for a permission (none: any good token) its middleware, after which `request.token` tells who calls
 */
export function protect({
  verifier,
}: {
  verifier: TokenVerifier;
}): (permission?: string) => RequestHandler {
  return (permission) => async (request, response, next) => {
    const { authorization } = request.headers;
    try {
      const token = await requireAccess(verifier, { authorization, ip: request.ip }, permission);
      (request as ProtectedRequest).token = token;
      next();
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) {
        next(error);
        return;
      }
      response.status(error.status).set(error.headers).end(JSON.stringify(error.body));
    }
  };
}
