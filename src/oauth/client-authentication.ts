import { applyDecorators } from '@nestjs/common';
import { ApiBasicAuth, ApiConsumes } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Presented, presentedToken } from '../auth/presented.js';
import { formDecoded } from '../http/query-string.js';
import { RouteSettings } from '../http/route.js';
import { parametersOf } from './form.js';

/** The one kind of assertion that clients sign (RFC 7523 section 2.2). */
export const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const BASIC = /^basic +(\S+)$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A route of OAuth: it takes a form, and clients authenticate in one of four ways (RFC 6749 section 2.3, RFC 6750, RFC
 * 7523). With `isSafe` it changes nothing, so that the credential may come from the cache.
 */
export function ClientRoute({ isSafe = false }: { isSafe?: boolean } = {}): MethodDecorator {
  return applyDecorators(
    RouteSettings({ presented: presentedClient, isSafe }),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBasicAuth(),
  );
}

/**
 * What a client shows: a bearer token, its id and secret (a service account and the token of one of its keys) by HTTP
 * Basic or in the form, or an assertion. Of several ways none counts, as two programs would choose differently.
 */
export function presentedClient(request: FastifyRequest): Presented {
  const form = parametersOf(request.body);
  const isAsserting =
    form.client_assertion !== undefined || form.client_assertion_type !== undefined;
  const inHeader = request.headers.authorization !== undefined;
  const ways = [inHeader, form.client_secret !== undefined, isAsserting];
  if (ways.filter(Boolean).length > 1) return { reason: 'several_credentials' };
  if (inHeader) return inAuthorization(request, form.client_id);
  if (isAsserting) return assertion(form);
  if (form.client_secret === undefined) return { reason: 'missing' };
  return withSecret(form.client_id, form.client_secret);
}

/** A `client_id` in the form beside the header says nothing new, and may not say something else. */
function inAuthorization(request: FastifyRequest, clientId: string | undefined): Presented {
  const presented = presentedToken(request);
  if ('token' in presented && clientId !== undefined) return { ...presented, accountId: clientId };
  if (!('reason' in presented) || presented.reason !== 'unsupported_scheme') return presented;
  const basic = basicCredentials(request.headers.authorization ?? '');
  if (basic === undefined) return presented;
  if (clientId !== undefined && clientId !== basic.id) return { reason: 'client_mismatch' };
  return withSecret(basic.id, basic.secret);
}

function assertion(form: Readonly<Record<string, string | undefined>>): Presented {
  const { client_id: accountId, client_assertion: text, client_assertion_type: type } = form;
  if (text === undefined || type !== JWT_BEARER_ASSERTION) return { reason: 'malformed' };
  return accountId === undefined ? { assertion: text } : { assertion: text, accountId };
}

function withSecret(accountId: string | undefined, token: string | undefined): Presented {
  return accountId === undefined || token === undefined
    ? { reason: 'malformed' }
    : { token, accountId, isSecret: true };
}

/**
 * Id and secret of the header, each form-encoded before it was put there (RFC 6749 section 2.3.1). Undefined for another
 * scheme; parts that cannot be read are undefined.
 */
function basicCredentials(header: string): { id?: string; secret?: string } | undefined {
  if (!/^basic\b/i.test(header)) return undefined;
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined || !BASE64.test(encoded)) return {};
  const text = decodedText(encoded);
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon === -1) return {};
  const id = formDecoded(text.slice(0, colon));
  const secret = formDecoded(text.slice(colon + 1));
  return id === undefined || secret === undefined ? {} : { id, secret };
}

function decodedText(base64: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined; // no UTF-8
  }
}
