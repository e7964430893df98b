import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessDeniedError, requireAccess } from './protect/access.js';
import type { TokenVerifier, VerifiedToken } from './protect/verified-token.js';

const PERMISSION = 'claviger:permission';

/** What a route takes: a permission like `reports:download`, or (without one) any good token. On a handler or a whole controller. */
export const RequirePermission = (permission?: string): MethodDecorator & ClassDecorator =>
  SetMetadata(PERMISSION, permission ?? true);

/** What this guard needs of a request; Express and Fastify both have it. */
interface GuardedRequest {
  headers: { authorization?: string };
  ip?: string;
  token?: VerifiedToken;
}

interface GuardedResponse {
  header(name: string, value: string): unknown;
}

/**
 * The guard for all routes: `app.useGlobalGuards(new PermissionGuard({ verifier }))`. Routes without {@link RequirePermission} stay
 * open. `request.token` tells who calls. Errors: `HttpException` 401, 403, 500, 503 with a problem as its response.
 */
export class PermissionGuard implements CanActivate {
  private readonly reflector = new Reflector();
  private readonly verifier: TokenVerifier;

  constructor({ verifier }: { verifier: TokenVerifier }) {
    this.verifier = verifier;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    const permission = this.reflector.getAllAndOverride<string | true | undefined>(
      PERMISSION,
      places,
    );
    if (permission === undefined) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<GuardedRequest>();
    const { authorization } = request.headers;
    const wanted = permission === true ? undefined : permission;
    try {
      request.token = await requireAccess(this.verifier, { authorization, ip: request.ip }, wanted);
      return true;
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      const response = http.getResponse<GuardedResponse>();
      for (const [name, value] of Object.entries(error.headers)) {
        response.header(name, value);
      }
      throw new HttpException(error.body, error.status, { cause: error });
    }
  }
}
