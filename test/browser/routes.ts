import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = readFileSync(join(import.meta.dirname, '../../web/src/routes.tsx'), 'utf8');

/** What the addresses of an organization's pages begin with. */
export const IN_ORGANIZATION = '/organizations/:organizationId';

/** Pages for those who are not logged in. */
export const OUTSIDE = ['/login', '/setup', '/invitation', '/password-reset'];

/** Every address that the panel's router knows: pages of an organization stand there without its part. */
export const ROUTES: readonly string[] = [...SOURCE.matchAll(/\bpath: '([^']+)'/g)]
  .map(([, path = '']) => path)
  .map((path) => (/^[/*]/.test(path) ? path : `${IN_ORGANIZATION}/${path}`))
  // A part that may be left out makes two pages of one.
  .flatMap((path) => (path.endsWith('?') ? [path.replace(/\/[^/]*$/, ''), path] : [path]));

/** A route with its parts filled in. Errors: one that `parameters` has nothing for. */
export function addressOf(route: string, parameters: Readonly<Record<string, string>>): string {
  return route
    .replace(/^\*$/, '/organizations/nowhere/to/be/found')
    .replace(/:(\w+)\??/g, (_, name: string) => {
      const value = parameters[name];
      if (value === undefined) throw new Error(`${route}: there is nothing for :${name}`);
      return value;
    });
}
