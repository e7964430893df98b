import { randomBytes } from 'node:crypto';
import type { Client } from '../client.js';
import { freePort } from '../free-port.js';
import { type ServerProcess, startProcess } from '../process.js';

const LOGIN = { email: 'ada@example.com', password: 'a long enough passphrase' };
const ACCOUNTS = 4;

/** One built server on one database, which always comes back on the same port. */
export interface Installation {
  env: Record<string, string>;
  start(more?: Record<string, string>): Promise<ServerProcess>;
}

/** An installation that has not been started. `database`: `DATABASE_URL` or `DATA_DIR`. */
export async function newInstallation(database: Record<string, string>): Promise<Installation> {
  const env = {
    PEPPER: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'fatal',
    ADMIN_EMAIL: LOGIN.email,
    ADMIN_PASSWORD: LOGIN.password,
    ORGANIZATION_NAME: 'Acme',
    PORT: String(await freePort()),
    ...database,
  };
  return { env, start: (more) => startProcess({ ...env, ...more }) };
}

/** Who works with an installation, and where. */
export interface Parties {
  /** May do everything in the organization, by the token of a service account, which outlives all faults. */
  admin: Client;
  /** The administrator of the instance, who may read the chain `system`. */
  operator: Client;
  /** A few service accounts: where their keys are, and a token of each. */
  accounts: { id: string; keys: string; token: string }[];
  /** The organization's path. */
  path: string;
}

/** Logs in and makes them; limits of requests are as high as they go. */
export async function makeParties(client: Client): Promise<Parties> {
  const session = await client.post('/v1/sessions', LOGIN);
  const owner = client.withToken(session.body.token);
  const path = `/v1/organizations/${session.body.organizations[0].id}`;
  const settings = { maxKeysPerServiceAccount: 100, requestsPerMinute: 1_000_000 };
  await owner.patch(path, { settings });
  const make = async (name: string, role: string) => {
    const { body } = await owner.post(`${path}/service-accounts`, { name, role });
    const { id } = body.serviceAccount;
    return { id, keys: `${path}/service-accounts/${id}/keys`, token: body.key.token as string };
  };
  const { token } = await make('Administrator', 'owner');
  const accounts = [];
  for (let n = 0; n < ACCOUNTS; n += 1) accounts.push(await make(`Account ${n}`, 'viewer'));
  return { admin: client.withToken(token), operator: owner, accounts, path };
}
