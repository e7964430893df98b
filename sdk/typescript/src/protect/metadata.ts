import { VerifierMisconfiguredError, VerifierUnavailableError } from './verified-token.js';

/** The members of the server's metadata (RFC 8414 section 2) that a verifier needs. */
export interface ServerMetadata {
  issuer: string;
  introspection_endpoint: string;
  jwks_uri: string;
}

/**
 * Reads the metadata of a Claviger server once, and again after a failure.
 * @param issuer the server's origin, like `https://claviger.example.com`
 */
export function metadataOf(issuer: string, timeoutMs: number): () => Promise<ServerMetadata> {
  let known: Promise<ServerMetadata> | undefined;
  return () => {
    known ??= fetchMetadata(issuer, timeoutMs).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function fetchMetadata(issuer: string, timeoutMs: number): Promise<ServerMetadata> {
  const url = new URL('/.well-known/oauth-authorization-server', issuer);
  const metadata = await fetchJson<ServerMetadata>(url, { timeoutMs });
  // RFC 8414 section 3.3: another issuer's metadata must not be used.
  if (new URL(metadata.issuer).origin !== new URL(issuer).origin) {
    throw new VerifierUnavailableError(`${url.origin} calls itself ${metadata.issuer}`);
  }
  return metadata;
}

/**
 * The JSON of a 200. Errors: `VerifierMisconfiguredError` when the `Authorization` sent is refused with 401 or 403,
 * `VerifierUnavailableError` for everything else.
 */
export async function fetchJson<T>(
  url: URL | string,
  { timeoutMs, ...init }: RequestInit & { timeoutMs: number },
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 200) return (await response.json()) as T;
  } catch (error) {
    throw new VerifierUnavailableError(`${String(url)} cannot be reached`, { cause: error });
  }
  await response.body?.cancel();
  const hasCredential = new Headers(init.headers).has('authorization');
  if (hasCredential && (response.status === 401 || response.status === 403)) {
    const challenge = response.headers.get('www-authenticate') ?? 'without saying why';
    throw new VerifierMisconfiguredError(
      `${String(url)} refuses this verifier itself: ${response.status}, ${challenge}`,
    );
  }
  throw new VerifierUnavailableError(`${String(url)} answered ${response.status}`);
}
