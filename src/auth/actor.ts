import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Credential } from './credentials.js';

/** Who does something: the words used in `createdBy`, on the audit trail and in `/v1/me`. */
export type ActorType = 'user' | 'serviceAccount' | 'system';

/** The part of a request that change events carry along, and the condition that a change is under. */
export interface ActorRequest {
  /** `req_…`, also in the response's `X-Request-Id`. */
  id: string;
  ip: string;
  userAgent: string | null;
  /** The header `If-Match`; services check it by `requireMatch`. */
  ifMatch?: string;
}

/**
 * The caller of one request, after the guards: who it is and what it may do in the organization
 * that the path names. Handlers pass it as their first argument.
 */
export interface Actor {
  type: ActorType;
  id: string | null;
  /** The name at this moment; it is written to the trail and stays there. */
  name: string;
  key: { id: string; name: string } | null;
  /** Effective permissions in the path's organization (a service account's: in its own). */
  permissions: ReadonlySet<string>;
  instanceAdministrator: boolean;
  /** Null for the server itself. */
  credential: Credential | null;
  /** Null for work without a request (start-up, command line). */
  request: ActorRequest | null;
}

/** The server itself: set-up at the first start, command line, maintenance. */
export const SYSTEM_ACTOR: Actor = {
  type: 'system',
  id: null,
  name: 'Claviger',
  key: null,
  permissions: new Set(),
  instanceAdministrator: false,
  credential: null,
  request: null,
};

/** Handler parameter: the caller, as the role guard decided. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor =>
  actorOf(context.switchToHttp().getRequest()),
);

/**
 * The caller, as the role guard decided: for the handlers that are called most, as Nest has every pipe wait for a parameter of
 * our own.
 */
export function actorOf({ actor }: FastifyRequest): Actor {
  if (actor === undefined) throw new Error('no guard has decided about this request');
  return actor;
}
