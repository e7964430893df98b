/** See private-postgres.mjs. */
export function startPrivatePostgres(options?: {
  settings?: Record<string, string | number>;
  core?: number;
}): Promise<{ url: string; superuserUrl: string; stop: () => void }>;

/** See private-postgres.mjs. */
export function findBinaries(): string;
