import { createParamDecorator, type ExecutionContext, type Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { validated } from '../http/validation.js';

/** The parameters of a form; one without a value counts as left out (RFC 6749 section 3.2). */
export function parametersOf(body: unknown): Record<string, string | undefined> {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(
    Object.entries(body as Record<string, string>).filter(([, value]) => value !== ''),
  );
}

/**
 * What a form says to a DTO. Parameters that the DTO does not know are ignored, as RFC 6749 section 3.2 wants it.
 * Errors: 400 `validation_failed`, which clients of OAuth read as `invalid_request`.
 */
export function readForm<T extends object>(dto: Type<T>, body: unknown): T {
  const parameters = parametersOf(body);
  const known = namesOf(dto).filter((name) => parameters[name] !== undefined);
  return validated(dto, Object.fromEntries(known.map((name) => [name, parameters[name]])));
}

/** Handler parameter: the request's form as this DTO. */
export const Form = createParamDecorator((dto: Type<object>, context: ExecutionContext): object =>
  readForm(dto, context.switchToHttp().getRequest<FastifyRequest>().body),
);

const names = new WeakMap<Type<object>, string[]>();

function namesOf(dto: Type<object>): string[] {
  let found = names.get(dto);
  if (found === undefined) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    found = [...new Set(rules.map(({ propertyName }) => propertyName))];
    names.set(dto, found);
  }
  return found;
}
