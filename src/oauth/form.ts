import { createParamDecorator, type ExecutionContext, type Type } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { propertiesOf } from '../http/validation-structure.js';
import { checked } from '../http/validation.js';

type Parameters = Record<string, string | undefined>;

/** The parameters of a form, all of which have values: the body parser leaves out the others. */
export function parametersOf(body: unknown): Readonly<Parameters> {
  return typeof body === 'object' && body !== null ? (body as Parameters) : {};
}

/**
 * What a form says to a DTO. Parameters that the DTO does not know are ignored, as RFC 6749 section 3.2 wants it.
 * Errors: 400 `validation_failed`, which clients of OAuth read as `invalid_request`.
 */
export function readForm<T extends object>(dto: Type<T>, body: unknown): T {
  const all = parametersOf(body);
  const known: Parameters = {};
  for (const name of propertiesOf(dto)) if (all[name] !== undefined) known[name] = all[name];
  // Nothing but texts (and lists of them): there is nothing to transform.
  return checked(known, Object.assign(new dto(), known));
}

/** Handler parameter: the request's form as this DTO. */
export const Form = createParamDecorator((dto: Type<object>, context: ExecutionContext): object =>
  readForm(dto, context.switchToHttp().getRequest<FastifyRequest>().body),
);
