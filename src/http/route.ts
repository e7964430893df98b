import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyRequest } from 'fastify';

/** Adds to what is known of a handler's route before any guard runs: `RouteConfig` would replace what others have said. */
export function RouteSettings(settings: FastifyContextConfig): MethodDecorator {
  return (target, name, descriptor) => {
    const others = settingsOf(descriptor.value as object);
    RouteConfig({ ...others, ...settings })(target, name, descriptor);
  };
}

/** What {@link RouteSettings} have been given to a handler. */
export function settingsOf(handler: object): FastifyContextConfig {
  const { KEY } = RouteConfig({});
  return (Reflect.getMetadata(KEY, handler) as FastifyContextConfig | undefined) ?? {};
}

/** What all requests of a route have in common. */
export interface Route {
  /** As the router writes it, `/v1/organizations/:organizationId`; empty where none matched. */
  url: string;
  /** As OpenAPI writes it, `/v1/organizations/{organizationId}`; null where none matched, or only one with a wildcard. */
  template: string | null;
  config: FastifyContextConfig;
}

const NO_ROUTE: Route = { url: '', template: null, config: {} };

/** By their configuration, of which every route has its own. */
const routes = new WeakMap<object, Route>();

/** The route that the router has found: `request.routeOptions` is put together anew whenever it is asked for. */
export function findRoute(request: FastifyRequest): Route {
  const config = request.routeOptions?.config as
    (FastifyContextConfig & { url?: string }) | undefined;
  if (config?.url === undefined) return NO_ROUTE;
  let route = routes.get(config);
  if (route === undefined) {
    const { url } = config;
    const template = url.includes('*') ? null : url.replace(/:(\w+)/g, '{$1}');
    route = { url, template, config };
    routes.set(config, route);
  }
  return route;
}

/** The request's route as it was found at the beginning, unless it has been sent to where there is none meanwhile. */
export function routeOf(request: FastifyRequest): Route {
  return request.is404 ? NO_ROUTE : request.context.route;
}

/** Method and template as OpenAPI writes them, `GET /v1/me`. HEAD is GET without the body, and counts as such. */
export function operationOf(request: FastifyRequest): string {
  const { method } = request;
  return `${method === 'HEAD' ? 'GET' : method} ${routeOf(request).template ?? ''}`;
}
