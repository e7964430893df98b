import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';

/** Tells the path of what a handler made, from its answer, and the path parameters and the rest of the request. */
export type LocationOf<T> = (
  body: T,
  params: Record<string, string>,
  request: FastifyRequest,
) => string;

/**
 * For handlers that create: the answer gets a `Location` header (RFC 9110 section 10.2.2), a path
 * on this server.
 */
export function CreatedAt<T>(locationOf: LocationOf<T>): MethodDecorator {
  return applyDecorators(UseInterceptors(new LocationInterceptor(locationOf)));
}

class LocationInterceptor<T> implements NestInterceptor<T, T> {
  constructor(private readonly locationOf: LocationOf<T>) {}

  intercept(context: ExecutionContext, next: CallHandler<T>): Observable<T> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    return next.handle().pipe(
      map((body) => {
        const location = this.locationOf(body, request.params as Record<string, string>, request);
        http.getResponse<FastifyReply>().header('Location', location);
        return body;
      }),
    );
  }
}
