import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { MAX_HEADER_BYTES } from './server.js';
import { entityTagOf, isKnown } from './entity-tag.js';

/** The schema of `If-Match` and `If-None-Match`. A header is no longer than all headers may be together. */
export const ENTITY_TAGS = {
  type: 'string' as const,
  maxLength: MAX_HEADER_BYTES,
  pattern: '^[\\t -~\\u0080-\\u00ff]*$',
};

/** What the OpenAPI document is completed by; it is not published. */
export const ETAGGED_EXTENSION = 'x-etagged';

/**
 * For handlers that answer with one resource, or change one: the answer gets an `ETag`, a GET understands `If-None-Match` and
 * then answers 304 without a body (RFC 9110 section 13). The service checks `If-Match` itself (`requireMatch`), because
 * only under the lock does it mean anything; that it does is documented by this decorator.
 */
export function ETagged(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(EntityTagInterceptor),
    ApiExtension(ETAGGED_EXTENSION, true),
  );
}

class EntityTagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { method, headers } = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const isRead = method === 'GET' || method === 'HEAD';
    return next.handle().pipe(
      map((body: unknown) => {
        // 204: there is nothing left to have a tag.
        if (body === undefined) return body;
        const tag = entityTagOf(body);
        if (tag === undefined)
          throw new Error(`${context.getHandler().name} answers without a tag`);
        reply.header('ETag', tag);
        if (!isRead || !isKnown(headers['if-none-match'], tag)) return body;
        reply.code(304);
        return undefined;
      }),
    );
  }
}
