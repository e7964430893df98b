import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BUILT_IN_ROLES, type BuiltInRoleKey } from '../../src/auth/permissions.js';
import { newId } from '../../src/crypto/id.js';
import type { Client } from '../client.js';
import { expectValid } from '../faults/ledger.js';
import { PostgresServer } from '../faults/postgres-server.js';
import { type ServerProcess, startProcess } from '../process.js';
import type { Exchange } from './recording-proxy.js';

const LOGIN = { email: 'ada@example.com', password: 'a long enough passphrase' };

const DATABASE = 'contract';
/** No tool is to be told to come back later. */
const SETTINGS = { requestsPerMinute: 1_000_000 };

/** Somebody who may be asked for, and what stands for their credential. */
export interface Caller {
  token: string;
  /** Their account's or session's id, and their key's. */
  ids: string[];
}

/** The built server on a PostgreSQL of its own, with an organization that tools may do with as they like. */
export class Scene {
  private made = 0;

  private constructor(
    readonly server: ServerProcess,
    readonly postgres: PostgresServer,
    readonly organizationId: string,
    /** Administrator of the instance and owner of the organization. */
    private readonly ada: Client,
  ) {}

  static async start(): Promise<Scene> {
    const postgres = await PostgresServer.start();
    try {
      const server = await startProcess({
        PEPPER: randomBytes(32).toString('base64'),
        LOG_LEVEL: 'warn',
        ADMIN_EMAIL: LOGIN.email,
        ADMIN_PASSWORD: LOGIN.password,
        ORGANIZATION_NAME: 'Acme',
        TRUSTED_PROXIES: '127.0.0.1',
        DATABASE_URL: await postgres.createDatabase(DATABASE),
      });
      const { body } = await server.client.post('/v1/sessions', LOGIN);
      const { id } = body.organizations[0];
      const ada = server.client.withToken(body.token);
      await ada.patch(`/v1/organizations/${id}`, { settings: SETTINGS });
      return new Scene(server, postgres, id, ada);
    } catch (error) {
      postgres.end();
      throw error;
    }
  }

  /** A service account with that role. */
  async account(role: BuiltInRoleKey): Promise<Caller> {
    const path = `/v1/organizations/${this.organizationId}/service-accounts`;
    const { body } = await this.ada.post(path, { name: `Contract ${role}`, role });
    return { token: body.key.token, ids: [body.serviceAccount.id, body.key.id] };
  }

  /** A session of the administrator of the instance, another one each time. */
  async session(): Promise<Caller> {
    const { body } = await this.server.client.post('/v1/sessions', LOGIN);
    return { token: body.token, ids: [body.user.id] };
  }

  /** Values for the parameters of a path: an organization of its own, and in it what the path is about. */
  async things(path: string): Promise<Record<string, string>> {
    if (!path.includes('{')) return {};
    const n = (this.made += 1);
    const { id } = await this.create('/v1/organizations', {
      name: `Organization ${n}`,
      settings: SETTINGS,
    });
    const values: Record<string, string> = { organizationId: id, sessionId: newId('ses') };
    const at = `/v1/organizations/${id}`;
    if (path.includes('{serviceAccountId}')) {
      const body = await this.create(`${at}/service-accounts`, { name: 'Account', role: 'viewer' });
      values.serviceAccountId = body.serviceAccount.id;
      values.keyId = body.key.id;
    }
    const guest = { email: `guest-${n}@example.com`, name: 'Guest', role: 'viewer' };
    if (path.includes('{userId}')) values.userId = (await this.create(`${at}/users`, guest)).id;
    if (path.includes('{invitationId}')) {
      values.invitationId = (await this.create(`${at}/invitations`, guest)).id;
    }
    if (path.includes('{roleKey}')) {
      const role = { key: 'reader', name: 'Reader', permissions: ['users:read'] };
      values.roleKey = (await this.create(`${at}/roles`, role)).key;
    }
    if (path.includes('{permission}')) {
      const permission = { permission: 'reports:read', description: 'Reads reports.' };
      values.permission = (await this.create(`${at}/permissions`, permission)).permission;
    }
    if (path.includes('{eventId}')) {
      const trail = path.includes('{organizationId}') ? at : '/v1';
      values.eventId = (await this.ada.get(`${trail}/audit-events`)).body.data[0].id;
    }
    return values;
  }

  /** The requests of these that should be on a trail, and are not there exactly once. */
  async unaudited(exchanges: readonly Exchange[]): Promise<Exchange[]> {
    const rows = await this.postgres.asSuperuser(
      `SELECT request_id, count(*)::int FROM audit_events WHERE action = 'http.request' GROUP BY 1`,
      DATABASE,
    );
    const counts = new Map(rows.map(({ request_id, count }) => [request_id, count]));
    return exchanges.filter(
      ({ path, status, requestId }) =>
        // 431 is answered before there is a request.
        status !== 431 && isAudited(path) && counts.get(requestId ?? '') !== 1,
    );
  }

  private async create(path: string, body: object): Promise<any> {
    const answer = await this.ada.post(path, body);
    if (answer.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Both chains that are left hold what they say. */
  async expectValidTrail(): Promise<void> {
    await expectValid(this.ada, `/v1/organizations/${this.organizationId}`);
    await expectValid(this.ada, '/v1');
  }

  /** What the server has in memory, in MiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.server.pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }

  async end(): Promise<number | null> {
    const code = await this.server.stop();
    this.postgres.end();
    return code;
  }
}

/** The roles that every organization has. */
export const ROLES = Object.keys(BUILT_IN_ROLES) as BuiltInRoleKey[];

/** Health, metrics, the document and the panel are nobody's business. */
function isAudited(path: string): boolean {
  return /^\/(?:v1|oauth)(?:\/|$)/.test(path);
}
