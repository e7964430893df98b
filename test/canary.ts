import { findTokens } from '../scripts/token-shape.mjs';
import type { DatabaseService } from '../src/database/database.service.js';

/**
 * What must never be stored or logged. Whatever a spec makes or is given goes in here by itself
 * (factories, answers with a `token` or a cookie), and every server is searched for all of it when it closes.
 */
const secrets = new Set<string>();

/** Notes a token, password or pepper. */
export function remember(secret: string): void {
  secrets.add(secret);
}

/** Notes every `token` and `access_token` in an answer, however deep. */
export function rememberTokens(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [name, value] of Object.entries(body)) {
    if (/^(?:access_)?token$/.test(name) && typeof value === 'string') remember(value);
    else rememberTokens(value);
  }
}

/** Notes the value of every cookie that an answer sets. */
export function rememberCookies(headers: Headers): void {
  for (const cookie of headers.getSetCookie()) {
    const value = /^[^=]+=([^;]+)/.exec(cookie)?.[1];
    if (value !== undefined) remember(value);
  }
}

/** Fails when a secret stands in the database or in the logs. The message does not repeat it. */
export async function searchForSecrets(database: DatabaseService, logs: string): Promise<void> {
  const dump = await dumpOf(database);
  if (!dump.includes('audit_heads')) throw new Error('the dump is empty: nothing was searched');
  searchText(dump, 'in the database');
  searchText(logs, 'in the logs');
}

/** Fails when a secret stands in a text, or a token that nobody has noted. `where` the text is: for the message. */
export function searchText(text: string, where: string): void {
  for (const secret of secrets) {
    for (const form of formsOf(secret)) {
      if (text.includes(form)) throw new Error(`a secret of length ${secret.length} is ${where}`);
    }
  }
  const [token] = findTokens(text);
  if (token !== undefined) throw new Error(`a token, ${token}, is ${where}`);
}

/** Plain, and as bytea and base64 would show it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
}

/** Every row of every table as text. */
function dumpOf(database: DatabaseService): Promise<string> {
  return database.system(async (tx) => {
    const tables = await tx.$queryRaw<{ name: string }[]>`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r'`;
    const parts: string[] = [];
    for (const { name } of tables) {
      const [row] = await tx.$queryRawUnsafe<{ text: string | null }[]>(
        `SELECT string_agg(t::text, E'\\n') AS text FROM "${name}" t`,
      );
      parts.push(`${name}\n${row?.text ?? ''}`);
    }
    return parts.join('\n');
  });
}
