import { PasswordHasher } from '../src/crypto/password.js';
import { newId } from '../src/crypto/id.js';
import { createToken, obfuscateToken } from '../src/crypto/token.js';
import { BUILT_IN_ROLES, type BuiltInRoleKey } from '../src/auth/permissions.js';
import { remember } from './canary.js';
import type { Client, TestServer } from './harness.js';

/**
 * Factories write rows straight into the database, so that a spec states only what it is about and
 * can have what the API refuses to make (a key that has expired, say).
 */

export interface TestOrganization {
  id: string;
  name: string;
  /** `/v1/organizations/{id}` */
  path: string;
}

export interface TestPerson {
  id: string;
  email: string;
  name: string;
  password: string;
  sessionId: string;
  token: string;
  client: Client;
}

export interface TestKey {
  id: string;
  token: string;
  client: Client;
  path: string;
}

export interface TestServiceAccount {
  id: string;
  name: string;
  keyId: string;
  token: string;
  client: Client;
  path: string;
}

/** The one password of all test people; hashed once, because hashing is slow by design. */
export const PASSWORD = 'a long enough passphrase';
let passwordHash: Promise<string> | undefined;

const CREATED_BY = { createdByType: 'system', createdById: null, createdByName: 'Claviger' };
let counter = 0;
const next = () => (counter += 1);

/** An organization with its built-in roles and its audit chain; no spec reaches its limit of requests by accident. */
export async function anOrganization(
  server: TestServer,
  {
    name = `Organization ${next()}`,
    requestsPerMinute = 1_000_000,
  }: { name?: string; requestsPerMinute?: number } = {},
): Promise<TestOrganization> {
  const id = newId('org');
  await server.database.system(async (tx) => {
    await tx.organization.create({ data: { id, name, requestsPerMinute } });
    await tx.role.createMany({
      data: Object.entries(BUILT_IN_ROLES).map(([key, role]) => ({
        organizationId: id,
        key,
        name: role.name,
        description: role.description,
        builtIn: true,
        permissions: [],
      })),
    });
    await tx.auditHead.create({ data: { chain: id, hash: Buffer.alloc(32) } });
  });
  return { id, name, path: `/v1/organizations/${id}` };
}

/** A person who is logged in and reads their mail; with an organization also its member. */
export async function aPerson(
  server: TestServer,
  organization: TestOrganization | null,
  options: {
    role?: BuiltInRoleKey | (string & {});
    status?: 'active' | 'invited' | 'disabled';
    email?: string;
    name?: string;
    instanceAdministrator?: boolean;
  } = {},
): Promise<TestPerson> {
  const id = newId('usr');
  const number = next();
  const { email = `person${number}@example.com`, name = `Person ${number}` } = options;
  passwordHash ??= new PasswordHasher().hash(PASSWORD);
  const hash = await passwordHash;
  const sessionId = newId('ses');
  const token = createToken(server.instance.tokenPrefix, 'session', sessionId);
  remember(token);
  remember(PASSWORD);
  await server.database.system(async (tx) => {
    await tx.user.create({
      data: {
        id,
        email,
        name,
        passwordHash: hash,
        emailVerifiedAt: new Date(),
        instanceAdministrator: options.instanceAdministrator ?? false,
      },
    });
    if (organization !== null) {
      await tx.membership.create({
        data: {
          organizationId: organization.id,
          userId: id,
          roleKey: options.role ?? 'owner',
          status: options.status ?? 'active',
          ...CREATED_BY,
        },
      });
    }
    await tx.session.create({
      data: {
        id: sessionId,
        userId: id,
        tokenHash: new Uint8Array(server.instance.pepper.hash('session', token)),
        pepperVersion: server.instance.pepper.version,
        ip: '127.0.0.1',
        expiresAt: new Date(Date.now() + 12 * 3_600_000),
      },
    });
  });
  const client = server.client.withToken(token);
  return { id, email, name, password: PASSWORD, sessionId, token, client };
}

/** A service account with one key that holds all of the role's permissions. */
export async function aServiceAccount(
  server: TestServer,
  organization: TestOrganization,
  options: {
    role?: BuiltInRoleKey | (string & {});
    name?: string;
    status?: 'active' | 'disabled';
    ownerId?: string;
  } = {},
): Promise<TestServiceAccount> {
  const id = newId('sa');
  const { name = `Integration ${next()}`, role = 'viewer', status = 'active' } = options;
  await server.database.system((tx) =>
    tx.serviceAccount.create({
      data: {
        organizationId: organization.id,
        id,
        name,
        roleKey: role,
        status,
        ownerId: options.ownerId ?? null,
        systems: [],
        ...CREATED_BY,
      },
    }),
  );
  const path = `${organization.path}/service-accounts/${id}`;
  const key = await aKey(server, organization, { id, path }, { name: 'Default' });
  return { id, name, keyId: key.id, token: key.token, client: key.client, path };
}

/** A further key of an account, in any state. */
export async function aKey(
  server: TestServer,
  organization: TestOrganization,
  account: { id: string; path: string },
  options: {
    name?: string;
    permissions?: string[];
    allowedCidrs?: string[];
    expiresAt?: Date;
    revokedAt?: Date;
    createdAt?: Date;
  } = {},
): Promise<TestKey> {
  const id = newId('key');
  const { tokenPrefix, pepper } = server.instance;
  const token = createToken(tokenPrefix, 'key', id);
  remember(token);
  await server.database.system((tx) =>
    tx.key.create({
      data: {
        organizationId: organization.id,
        id,
        serviceAccountId: account.id,
        name: options.name ?? `Key ${next()}`,
        tokenHash: new Uint8Array(pepper.hash('key', token)),
        pepperVersion: pepper.version,
        obfuscatedToken: obfuscateToken(token),
        allPermissions: options.permissions === undefined,
        permissions: options.permissions ?? [],
        allowedCidrs: options.allowedCidrs ?? [],
        expiresAt: options.expiresAt ?? null,
        revokedAt: options.revokedAt ?? null,
        ...(options.createdAt === undefined ? {} : { createdAt: options.createdAt }),
        ...CREATED_BY,
      },
    }),
  );
  const client = server.client.withToken(token);
  return { id, token, client, path: `${account.path}/keys/${id}` };
}
