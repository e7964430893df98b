import type { FastifyRequest } from 'fastify';
import type { Seals } from '../crypto/seal.js';
import { routeOf } from '../http/route.js';
import type { Check, KeyCredential, RefusedKey, SessionCredential } from '../auth/credentials.js';
import {
  type AuditActor,
  type AuditBody,
  type AuditDetails,
  type AuditTarget,
  cleanText,
  HTTP_REQUEST,
  outcomeOf,
  SYSTEM_CHAIN,
  toPendingEvent,
} from './event.js';
import type { GateEvent } from './writer.js';

const MAX_PATH = 512;
const MAX_USER_AGENT = 256;
const MAX_REASON = 256;

const ANONYMOUS: AuditActor = { type: 'anonymous', id: null, name: null };
const UNVERIFIED: AuditActor = { type: 'unverified', id: null, name: null };

type Conditions = Pick<GateEvent, 'epoch' | 'notAfter'>;

const UNCONDITIONAL: Conditions = { epoch: null, notAfter: null };

const NOBODY: Who = { chain: SYSTEM_CHAIN, actor: ANONYMOUS, key: null, targets: [], reason: null };

interface Who {
  chain: string;
  actor: AuditActor;
  key: { id: string; name: string } | null;
  targets: AuditTarget[];
  reason: string | null;
}

/**
 * The `http.request` event of one answer. `check` is the caller's credential check, or null on
 * public routes and when it could not be made. With `conditional` the event is refused as stale
 * when what the check rests on has changed.
 */
export function httpEvent(
  request: FastifyRequest,
  answer: { status: number; code: string | null },
  check: Check | null,
  conditional: boolean,
  seals: Seals,
): GateEvent {
  const who = whoOf(request, check);
  const { id, ip, userAgent } = request.context;
  const body: AuditBody = {
    action: HTTP_REQUEST,
    outcome: outcomeOf(answer.status),
    organizationId: who.chain === SYSTEM_CHAIN ? null : who.chain,
    actor: who.actor,
    key: who.key,
    targets: [...who.targets, ...(request.subject?.targets ?? [])],
    permission: request.question?.access ?? null,
    method: cleanText(request.method, 16),
    route: routeOf(request).template,
    path: cleanText(pathOf(request), MAX_PATH),
    status: answer.status,
    reason: reasonOf(who.reason, answer) ?? request.subject?.reason ?? null,
    ip,
    userAgent: userAgent === null ? null : cleanText(userAgent, MAX_USER_AGENT),
    requestId: id,
    changes: null,
  };
  const details = detailsOf(check);
  if (details !== undefined) body.details = details;
  const event = toPendingEvent(who.chain, body);
  const { epoch, notAfter } = conditional ? conditionsOf(request, check) : UNCONDITIONAL;
  // Without spreading: what the engine copies in that way it keeps until it collects everything.
  return {
    chain: event.chain,
    body: event.body,
    action: event.action,
    outcome: event.outcome,
    actorId: event.actorId,
    keyId: event.keyId,
    targetId: event.targetId,
    requestId: event.requestId,
    seal: seals.event(event.chain, event.body),
    epoch,
    notAfter,
  };
}

/**
 * What must still hold when the event is written: the smallest epoch of all that the answer rests on, and the earliest end.
 * The caller and a subject are of one organization, whose chain the event is on.
 */
function conditionsOf({ subject }: FastifyRequest, check: Check | null): Conditions {
  const caller = check?.ok && check.credential.kind === 'key' ? check.credential : null;
  const other = subject?.credential ?? null;
  if (caller === null || other === null) return conditionsOfOne(caller ?? other);
  return {
    epoch: Math.min(caller.epoch, other.epoch),
    notAfter: earliest(caller.expiresAt, other.expiresAt),
  };
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function conditionsOfOne(credential: KeyCredential | null): Conditions {
  if (credential === null) return UNCONDITIONAL;
  return { epoch: credential.epoch, notAfter: credential.expiresAt };
}

/** Which access token it was, where it was not the key itself. */
function detailsOf(check: Check | null): AuditDetails | undefined {
  if (!check?.ok || check.credential.kind === 'session') return undefined;
  const { accessToken } = check.credential;
  return accessToken === null ? undefined : { accessTokenId: accessToken.jti };
}

/** The path without its query, as it was sent. */
export function pathOf(request: FastifyRequest): string {
  const end = request.url.indexOf('?');
  return end === -1 ? request.url : request.url.slice(0, end);
}

function reasonOf(reason: string | null, answer: { status: number; code: string | null }) {
  const text =
    answer.status === 401 || answer.status === 400 ? (reason ?? answer.code) : answer.code;
  return answer.status < 400 || text === null ? null : cleanText(text, MAX_REASON);
}

/** Who, and on whose chain: `docs/architecture.md` has the rules. */
function whoOf(request: FastifyRequest, check: Check | null): Who {
  if (check === null) return NOBODY;
  if (!check.ok)
    return check.key ? refusedKey(check.key, check.reason) : { ...NOBODY, reason: check.reason };
  const { credential } = check;
  if (credential.kind === 'session') return person(request, credential);
  return {
    chain: credential.organizationId,
    actor: { type: 'serviceAccount', id: credential.accountId, name: credential.accountName },
    key: { id: credential.keyId, name: credential.keyName },
    targets: [],
    reason: null,
  };
}

function person(request: FastifyRequest, credential: SessionCredential): Who {
  const { organizationId } = (request.params ?? {}) as { organizationId?: string };
  const isMember = credential.memberships.some((one) => one.organizationId === organizationId);
  return {
    chain: isMember && organizationId !== undefined ? organizationId : SYSTEM_CHAIN,
    actor: { type: 'user', id: credential.userId, name: credential.name },
    key: null,
    targets: [],
    reason: null,
  };
}

/** With the right secret the account is named as actor; with a wrong one only as what was aimed at. */
function refusedKey(key: RefusedKey, reason: string): Who {
  const account = { type: 'serviceAccount' as const, id: key.accountId, name: key.accountName };
  return {
    chain: key.organizationId,
    actor: key.verified ? account : UNVERIFIED,
    key: { id: key.keyId, name: key.keyName },
    targets: key.verified ? [] : [account],
    reason,
  };
}
