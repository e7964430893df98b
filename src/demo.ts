import { randomBytes } from 'node:crypto';
import { createApp } from './app.js';
import { loadConfig } from './config.js';
import { MEMORY } from './database/embedded.js';
import { prepareFirstStart } from './setup/first-start.js';
import { explainStart } from './start-errors.js';

/** A throw-away server in memory, with an organization to look around in. Everything is gone when it stops. */

const EMAIL = 'ada@example.com';
const ACCOUNTS = [
  {
    name: 'Salesforce Integration',
    role: 'provisioner',
    purpose: 'Creates users for new customers',
  },
  { name: 'Nightly Warehouse Export', role: 'auditor', purpose: 'Downloads users and the trail' },
  { name: 'Billing Gateway', role: 'verifier', purpose: 'Checks the tokens of its callers' },
];
const PEOPLE = [
  { email: 'grace@example.com', name: 'Grace Hopper', role: 'admin' },
  { email: 'alan@example.com', name: 'Alan Turing', role: 'viewer' },
];

/** The parts of answers that the demo uses. */
interface Answer {
  token: string;
  organizations: { id: string }[];
  key: { token: string };
}

try {
  await demo();
} catch (error) {
  process.stderr.write(`${explainStart(error)}\n`);
  process.exit(1);
}

async function demo(): Promise<void> {
  const password = randomBytes(12).toString('base64url');
  const config = {
    ...loadConfig({ PORT: process.env.PORT, LOG_LEVEL: 'warn' }),
    dataDir: MEMORY,
    pepper: randomBytes(32),
    admin: { email: EMAIL, password, organizationName: 'Acme' },
  };
  const app = await createApp({ config });
  await prepareFirstStart(app);
  await app.listen(config.port, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const url = `http://localhost:${port}`;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void app.close().then(() => process.exit(0)));
  }
  const { organization, token } = await seed(url, password);
  process.stdout.write(welcome(url, password, organization, token));
}

/** Fills the organization the way an administrator would: through the API. */
async function seed(
  url: string,
  password: string,
): Promise<{ organization: string; token: string }> {
  const session = await post(`${url}/v1/sessions`, { email: EMAIL, password });
  const organization = `${url}/v1/organizations/${session.organizations[0]?.id}`;
  for (const person of PEOPLE) await post(`${organization}/users`, person, session.token);
  const tokens: string[] = [];
  for (const account of ACCOUNTS) {
    const { key } = await post(`${organization}/service-accounts`, account, session.token);
    tokens.push(key.token);
  }
  return { organization, token: tokens[0] ?? '' };
}

async function post(url: string, body: object, token?: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Answer;
}

function welcome(url: string, password: string, organization: string, token: string): string {
  return `A Claviger to play with is ready at ${url}; everything in it is gone when it stops.

  log in        ${EMAIL}
  password      ${password}
  Swagger UI    ${url}/docs
  an API token  ${token}

Who is that token, and what may it do?
  curl ${url}/v1/me -H 'Authorization: Bearer ${token}'
Which users does it see?
  curl ${organization}/users -H 'Authorization: Bearer ${token}'
What may it not do?
  curl ${organization}/audit-events -H 'Authorization: Bearer ${token}'
`;
}
