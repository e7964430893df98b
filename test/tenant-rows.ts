import { Seals } from '../src/crypto/seal.js';
import {
  collectEvent,
  DatabaseService,
  type PendingEvent,
} from '../src/database/database.service.js';
import { databaseConfig, testDatabase } from './database.js';

/** An open database with one row in every tenant table of `org_a` and of `org_b`; `cleanup` closes and removes it. */
export async function twoTenants(): Promise<{
  database: DatabaseService;
  cleanup: () => Promise<void>;
}> {
  const made = await testDatabase();
  const database = new DatabaseService(databaseConfig(made));
  await database.open();
  database.seals = new Seals(Buffer.alloc(32, 1));
  await oneOfEach(database, 'org_a');
  await oneOfEach(database, 'org_b');
  const cleanup = async (): Promise<void> => {
    await database.close();
    await made.cleanup();
  };
  return { database, cleanup };
}

/** An event as it is collected. */
export function anEvent(chain: string, action: string, body = '{}'): PendingEvent {
  return {
    chain,
    body,
    action,
    outcome: 'success',
    actorId: null,
    keyId: null,
    targetId: null,
    requestId: null,
  };
}

/** One row in every tenant table. */
async function oneOfEach(database: DatabaseService, id: string): Promise<void> {
  const by = { createdByType: 'system', createdByName: 'test' };
  await database.system(async (tx) => {
    await tx.organization.create({ data: { id, name: id } });
    await tx.auditHead.create({ data: { chain: id, hash: new Uint8Array(32) } });
    await tx.user.create({ data: { id: `usr_${id}`, email: `${id}@example.com`, name: id } });
    await tx.role.create({ data: { organizationId: id, key: 'viewer', name: 'Viewer' } });
    await tx.membership.create({
      data: { organizationId: id, userId: `usr_${id}`, roleKey: 'viewer', ...by },
    });
    await tx.registeredPermission.create({
      data: { organizationId: id, permission: 'reports:read', description: 'Read.', ...by },
    });
    await tx.serviceAccount.create({
      data: { organizationId: id, id: `sa_${id}`, name: 'CI', roleKey: 'viewer', ...by },
    });
    await tx.key.create({
      data: {
        organizationId: id,
        id: `key_${id}`,
        serviceAccountId: `sa_${id}`,
        name: 'first',
        tokenHash: new Uint8Array(32),
        pepperVersion: 1,
        obfuscatedToken: 'clv_…abcd',
        ...by,
      },
    });
    await tx.revokedAccessToken.create({
      data: { organizationId: id, jti: `jti_${id}`, expiresAt: new Date() },
    });
    await tx.keyUsage.create({
      data: {
        organizationId: id,
        keyId: `key_${id}`,
        day: new Date(),
        route: 'GET /v1/me',
        ip: '192.0.2.1',
        client: 'curl/8.5.0',
        requests: 1,
        refused: 0,
      },
    });
    await tx.invitation.create({
      data: {
        organizationId: id,
        id: `inv_${id}`,
        userId: `usr_${id}`,
        email: `${id}@example.com`,
        roleKey: 'viewer',
        tokenHash: new Uint8Array(32),
        pepperVersion: 1,
        expiresAt: new Date(),
        ...by,
      },
    });
    await tx.auditSeal.create({ data: { chain: id, sequence: 0, seal: '' } });
    await tx.auditCheckpoint.create({
      data: {
        chain: id,
        sequence: 0,
        hash: new Uint8Array(32),
        at: new Date(),
        key: '',
        signature: '',
      },
    });
    await tx.auditTombstone.create({
      data: {
        chain: id,
        sequence: 0,
        hash: new Uint8Array(32),
        events: 0,
        firstAt: new Date(),
        lastAt: new Date(),
        at: new Date(),
        key: '',
        signature: '',
      },
    });
    collectEvent(tx, anEvent(id, 'organization.created'));
  });
}
