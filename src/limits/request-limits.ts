import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Credential } from '../auth/credentials.js';
import { Identifier } from '../auth/identify.js';
import { whenThere } from '../http/at-once.js';
import { operationOf, routeOf } from '../http/route.js';
import { isOver, limitOf, rateLimited, showLimit } from './rate-limit.js';
import { RequestCounter, type Usage } from './request-counter.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where the caller stands; set once the request has been counted. */
    usage?: Usage;
  }
}

/**
 * Limits of requests: every request with a good credential counts once for that credential and operation, whatever it is
 * answered; only those that would reach their handler are refused. All answers of such an operation tell how much is left.
 */
@Injectable()
export class RequestLimits implements OnApplicationShutdown {
  constructor(
    private readonly counter: RequestCounter,
    private readonly identifier: Identifier,
  ) {}

  /** Registers the hook that counts what was refused before the guard was asked; to be called before the gate's. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (request, reply, payload, done) => {
      if (request.usage !== undefined || !isLimited(request)) return done(null, payload);
      this.countRefused(request, reply).then(
        () => done(null, payload),
        // Without a database nobody is known, and nothing can be counted.
        () => done(null, payload),
      );
    });
  }

  /** Counts a request and says so in its answer. True when it is one too many. */
  count(
    request: FastifyRequest,
    reply: FastifyReply,
    credential: Credential,
  ): boolean | Promise<boolean> {
    const usage = request.usage ?? this.counter.count(keyOf(request, credential));
    const compare = (counted: Usage): boolean => {
      request.usage = counted;
      return isOver(tell(request, reply, credential), counted);
    };
    return whenThere(usage, compare);
  }

  onApplicationShutdown(): void {
    this.counter.close();
  }

  private async countRefused(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const check = await this.identifier.identify(request);
    if (check.ok) await this.count(request, reply, check.credential);
  }
}

/**
 * Compares a counted request with the limit that holds now, and tells the caller. Requests that were not counted pass.
 * Errors: 429 `rate_limited`.
 */
export function enforceLimit(
  request: FastifyRequest,
  reply: FastifyReply,
  credential: Credential,
): void {
  if (request.usage === undefined) return;
  const limit = tell(request, reply, credential);
  if (isOver(limit, request.usage)) throw rateLimited(limit, request.usage);
}

function tell(request: FastifyRequest, reply: FastifyReply, credential: Credential): number {
  const { organizationId } = (request.params ?? {}) as { organizationId?: string };
  const limit = limitOf(credential, organizationId);
  if (request.usage !== undefined) showLimit(reply, operationOf(request), limit, request.usage);
  return limit;
}

/** What has a route and asks for a credential. */
function isLimited(request: FastifyRequest): boolean {
  const { config, url } = routeOf(request);
  return config.isPublic !== true && /^\/(?:v1|oauth)\//.test(url);
}

function keyOf(request: FastifyRequest, credential: Credential): string {
  const id = credential.kind === 'key' ? credential.keyId : credential.sessionId;
  return `${id} ${operationOf(request)}`;
}
