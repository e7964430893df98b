import { randomBytes } from 'node:crypto';

/** The first administrator of every server that is measured. */
export const ADMIN = { email: 'admin@example.com', password: randomBytes(12).toString('hex') };

/**
 * What a server of its own is started with.
 * @param {string} directory for its data
 * @param {string} [databaseUrl] an empty database on PostgreSQL; without it the embedded one
 * @returns {Record<string, string>}
 */
export function environment(directory, databaseUrl) {
  return {
    DATA_DIR: directory,
    PEPPER: randomBytes(32).toString('base64'),
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    ORGANIZATION_NAME: 'Bench',
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
  };
}
