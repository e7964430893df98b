import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { Actor } from '../auth/actor.js';
import type { Credential } from '../auth/credentials.js';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { ETagged } from '../http/etagged.js';
import { CreatedAt, type LocationOf } from '../http/location.js';
import { badRequest } from '../http/problem.js';
import { routeOf } from '../http/route.js';
import { IdempotencyScope, placeOf, type ReplaySecrets, replaySecrets } from './scope.js';

const HEADER = 'Idempotency-Key';
const KEY = /^[\x20-\x7e]{1,255}$/;

const DESCRIPTION = `A value of your choice, unique for every new request: a UUID, say. Send the same request again with the same
value, and it is done once: the retry gets the first answer, with \`Idempotency-Replayed: true\`, for 24 hours, or for 10 minutes
where the answer shows a token. While the first is still being worked on: 409 \`idempotency_in_flight\`. The value
means nothing to other credentials, and a request that was refused keeps nothing.`;

/**
 * For handlers of authenticated POSTs that create: understands `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
 * The service does its work inside `idempotent(actor, …)`.
 */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: HEADER,
      required: false,
      description: DESCRIPTION.replaceAll('\n', ' '),
      schema: {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        pattern: '^[!-~](?:[ -~]*[!-~])?$',
      },
      example: '4c5f0e0a-6f5b-4a53-9a0e-0d2a6f0c8f11',
    }),
  );
}

/** For handlers that create a resource: `Location`, `ETag` and {@link Idempotent}. */
export function Creates<T>(locationOf: LocationOf<T>): MethodDecorator {
  return applyDecorators(CreatedAt(locationOf), ETagged(), Idempotent());
}

/** Gives the actor of a request with the header its scope, and says when an answer was replayed. */
@Injectable()
class IdempotencyInterceptor implements NestInterceptor {
  private readonly secrets: ReplaySecrets;

  constructor(secret: InstanceSecret) {
    this.secrets = replaySecrets(secret);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const idempotencyKey = idempotencyKeyOf(request);
    const { actor } = request;
    if (idempotencyKey === undefined || actor?.request == null) return next.handle();
    const idempotency = this.scopeOf(request, actor, idempotencyKey);
    request.actor = { ...actor, request: { ...actor.request, idempotency } };
    return next.handle().pipe(
      map((body: unknown) => {
        if (idempotency.outcome === undefined) {
          throw new Error(`${context.getHandler().name} does not work inside idempotent()`);
        }
        if (idempotency.outcome === 'replayed') {
          http.getResponse<FastifyReply>().header('Idempotency-Replayed', 'true');
        }
        return body;
      }),
    );
  }

  private scopeOf(request: FastifyRequest, { credential }: Actor, idempotencyKey: string) {
    const { presented } = request;
    if (credential === null || presented === undefined || !('token' in presented)) {
      throw new Error('a route for nobody');
    }
    return new IdempotencyScope(this.secrets, {
      organizationId: placeOf(request.params, credential),
      credentialId: credentialIdOf(credential),
      token: presented.token,
      idempotencyKey,
      shape: {
        method: request.method,
        route: routeOf(request).url,
        params: request.params,
        query: request.query,
        body: request.body,
      },
    });
  }
}

/** Node joins headers of one name, so several are counted in the raw ones. Errors: 400 `invalid_idempotency_key`. */
function idempotencyKeyOf({ headers, raw }: FastifyRequest): string | undefined {
  const value = headers[HEADER.toLowerCase()];
  if (value === undefined) return undefined;
  const names = raw.rawHeaders.filter((_, index) => index % 2 === 0);
  const count = names.filter((name) => name.toLowerCase() === HEADER.toLowerCase()).length;
  if (typeof value === 'string' && count === 1 && KEY.test(value)) return value;
  const detail = 'Idempotency-Key must be given once, with 1 to 255 printable ASCII characters.';
  throw badRequest('invalid_idempotency_key', detail);
}

/** What is presented is part of what opens the answer, so two access tokens of one key are two credentials. */
function credentialIdOf(credential: Credential): string {
  if (credential.kind === 'session') return credential.sessionId;
  return credential.accessToken?.jti ?? credential.keyId;
}
