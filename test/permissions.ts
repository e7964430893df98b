import { expect } from '@jest/globals';
import type { Client } from './client.js';

let counter = 0;

/** A permission that somebody registers at `path` (`…/permissions`). */
export async function registerPermission(
  by: Client,
  path: string,
  namespace: string,
): Promise<string> {
  const permission = `${namespace}:action-${(counter += 1)}`;
  const answer = await by.post(path, { permission, description: 'Do something with reports.' });
  expect([answer.status, answer.body.code]).toEqual([201, undefined]);
  return permission;
}

/** A custom role, made by somebody at `path` (`…/roles`). */
export async function makeRole(by: Client, path: string, list: string[]): Promise<string> {
  const key = `role-${(counter += 1)}`;
  const input = { key, name: `Role ${counter}`, permissions: list };
  expect((await by.post(path, input)).status).toBe(201);
  return key;
}

/** What the caller may do, as `/v1/me` shows it. */
export async function permissionsOf(client: Client, organizationId: string): Promise<string[]> {
  const { status, body } = await client.get('/v1/me');
  expect(status).toBe(200);
  if (body.kind === 'serviceAccount') return body.permissions;
  return body.organizations.find(({ id }: { id: string }) => id === organizationId).permissions;
}
