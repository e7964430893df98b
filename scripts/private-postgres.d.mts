/** See private-postgres.mjs. */
export function startPrivatePostgres(options?: {
  settings?: Record<string, string | number>;
  core?: number;
}): Promise<{
  url: string;
  superuserUrl: string;
  createDatabase: (name: string) => Promise<string>;
  stop: () => void;
  data: string;
  pgCtl: { command: string; args: string[]; options: object };
}>;

/** See private-postgres.mjs. */
export function findBinaries(): string;

/** See private-postgres.mjs. */
export function asSuperuser(url: string, statement: string): Promise<any[]>;
