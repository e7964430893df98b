import { isEmail } from 'class-validator';
import ipaddr from 'ipaddr.js';
import { passwordFault } from './crypto/password-rules.js';
import { decodePepper } from './crypto/pepper.js';
import { TOKEN_PREFIX_SHAPE } from './crypto/token.js';
import { EnvironmentReader } from './environment.js';
import { readTracing, type TracingConfig } from './tracing/tracing-config.js';

/** Nest injection token of the `Config`. */
export const CONFIG = Symbol('config');

/** Everything that can be configured, read once at the start. `.env.example` has a sentence on each. */
export interface Config {
  /** 0 lets the system choose. */
  port: number;
  host: string;
  /** Origin under which browsers and clients reach the server, without a trailing slash. */
  publicUrl: string;
  /** Without it the database is embedded, in `dataDir`. */
  databaseUrl?: string;
  /** For migrations, past a connection pooler. */
  directDatabaseUrl?: string;
  dataDir: string;
  /** 32 bytes. Always there with a `databaseUrl`; the embedded mode makes its own. */
  pepper?: Buffer;
  /** The pepper that `pepper` replaces, as long as tokens under it are accepted. */
  pepperPrevious?: Buffer;
  /** The first administrator and organization, for an empty database. */
  admin?: { email: string; password: string; organizationName: string };
  /** CIDRs; a single address counts as one. */
  trustedProxies: string[];
  logLevel: string;
  /** Only meaningful at the first start; `clv` when absent. */
  tokenPrefix?: string;
  preparedStatements: boolean;
  redisUrl?: string;
  smtpUrl?: string;
  /** Whom mails are from, `Name <address>` or an address; without it SMTP_URL's `?from=` tells. */
  mailFrom?: string;
  metricsToken?: string;
  /** Origins as browsers send them. */
  corsOrigins: string[];
  /** How long an access token of `/oauth/token` is good, in seconds. */
  accessTokenSeconds: number;
  /** How many whole months the audit trail is kept; without it, for ever. */
  auditRetentionMonths?: number;
  /** Where traces go; without it there are none. */
  tracing?: TracingConfig;
  workers: number;
}

/** The configuration cannot be used. The message has one line per fault and never a value that is secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`The configuration has faults:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const METRICS_TOKEN_SHAPE = /^[A-Za-z0-9\-._~+/]{16,}=*$/; // b64token of RFC 6750 §2.1
const MAX_ORGANIZATION_NAME = 100;

const MAX_RETENTION_MONTHS = 1_200;

/** A signing key stays published for so long after it has signed for the last time. */
export const MAX_ACCESS_TOKEN_SECONDS = 3_600;

/**
 * Reads the whole configuration from environment variables. An empty variable counts as unset; a secret
 * `X` may stand in a file that `X_FILE` names.
 * @throws ConfigError that lists every fault
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const read = new EnvironmentReader(env);
  const port = read.integer('PORT', 3000, 0, 65535);
  const config: Config = {
    port,
    host: read.text('HOST') ?? '127.0.0.1',
    publicUrl:
      read.checked('PUBLIC_URL', originOf, 'an origin like https://claviger.example.com') ??
      `http://localhost:${port}`,
    ...readDatabase(read),
    admin: readAdmin(read),
    trustedProxies: read.list('TRUSTED_PROXIES', cidrOf, 'an address or a CIDR like 10.0.0.0/8'),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    tokenPrefix: read.checked(
      'TOKEN_PREFIX',
      (text) => (TOKEN_PREFIX_SHAPE.test(text) ? text : undefined),
      '2 to 10 lower-case letters or digits, a letter first',
    ),
    preparedStatements: read.oneOf('PREPARED_STATEMENTS', ['true', 'false'], 'true') === 'true',
    redisUrl: read.checkedSecret('REDIS_URL', urlWith('redis:', 'rediss:'), 'a redis:// URL'),
    smtpUrl: read.checkedSecret(
      'SMTP_URL',
      mailServerOf,
      'a smtp:// or smtps:// URL; ?from= in it must be an address, or Name <address>',
    ),
    mailFrom: read.checked('MAIL_FROM', senderOf, 'an address, or Name <address>'),
    metricsToken: read.checkedSecret(
      'METRICS_TOKEN',
      (text) => (METRICS_TOKEN_SHAPE.test(text) ? text : undefined),
      'at least 16 characters of A-Z a-z 0-9 - . _ ~ + /',
    ),
    corsOrigins: read.list('CORS_ORIGINS', originOf, 'an origin like https://app.example.com'),
    accessTokenSeconds: read.integer('ACCESS_TOKEN_SECONDS', 300, 60, MAX_ACCESS_TOKEN_SECONDS),
    auditRetentionMonths: readRetention(read),
    tracing: readTracing(read),
    workers: read.integer('WORKERS', 1, 1, 256),
  };
  checkTogether(config, read);
  if (read.faults.length > 0) throw new ConfigError(read.faults);
  return config;
}

function readDatabase(
  read: EnvironmentReader,
): Pick<Config, 'databaseUrl' | 'directDatabaseUrl' | 'dataDir' | 'pepper' | 'pepperPrevious'> {
  const postgres = urlWith('postgres:', 'postgresql:');
  return {
    databaseUrl: read.checkedSecret('DATABASE_URL', postgres, 'a postgresql:// URL'),
    directDatabaseUrl: read.checkedSecret('DIRECT_DATABASE_URL', postgres, 'a postgresql:// URL'),
    dataDir: read.text('DATA_DIR') ?? './data',
    pepper: read.checkedSecret(
      'PEPPER',
      decodePepper,
      '32 bytes in base64; make them with: openssl rand -base64 32',
    ),
    pepperPrevious: read.checkedSecret(
      'PEPPER_PREVIOUS',
      decodePepper,
      '32 bytes in base64: the value that PEPPER had before',
    ),
  };
}

function readRetention(read: EnvironmentReader): number | undefined {
  const months = read.integer('AUDIT_RETENTION_MONTHS', 0, 1, MAX_RETENTION_MONTHS);
  return months === 0 ? undefined : months;
}

function readAdmin(read: EnvironmentReader): Config['admin'] {
  const email = read.checked('ADMIN_EMAIL', emailOf, 'an e-mail address');
  const password = read.secret('ADMIN_PASSWORD');
  const organizationName = read.checked(
    'ORGANIZATION_NAME',
    (text) => (text.length <= MAX_ORGANIZATION_NAME && !/\p{Cc}/u.test(text) ? text : undefined),
    `at most ${MAX_ORGANIZATION_NAME} characters on one line`,
  );
  const personal = [email, organizationName].filter((one) => one !== undefined);
  const fault = password === undefined ? undefined : passwordFault(password, personal);
  if (fault !== undefined) read.fault('ADMIN_PASSWORD', fault);
  const names = ['ADMIN_EMAIL', 'ADMIN_PASSWORD', 'ORGANIZATION_NAME'];
  const missing = names.filter((name) => !read.isSet(name));
  if (missing.length === names.length) return undefined;
  for (const name of missing) {
    read.fault(name, `must be set too: ${names.join(', ')} go together, all or none`);
  }
  if (email === undefined || password === undefined || organizationName === undefined) {
    return undefined; // a fault was noted above
  }
  return { email, password, organizationName };
}

/** Faults that only show when two variables are seen together. */
function checkTogether(config: Config, read: EnvironmentReader): void {
  if (config.pepperPrevious !== undefined && config.pepper?.equals(config.pepperPrevious)) {
    read.fault('PEPPER_PREVIOUS', 'must be another value than PEPPER: the one that it had before');
  }
  if (!read.isSet('DATABASE_URL')) {
    if (config.workers > 1) {
      read.fault(
        'WORKERS',
        'must be 1 without DATABASE_URL: the embedded database has one process',
      );
    }
    if (read.isSet('DIRECT_DATABASE_URL')) {
      read.fault('DIRECT_DATABASE_URL', 'must be unset without DATABASE_URL');
    }
  } else if (!read.isSet('PEPPER')) {
    read.fault(
      'PEPPER',
      'must be set with DATABASE_URL (or PEPPER_FILE): 32 bytes in base64; make them once and keep ' +
        'them with: openssl rand -base64 32',
    );
  }
}

/** An http(s) origin as browsers write it, or `undefined`; a bare trailing slash is forgiven. */
function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  return url.href === `${url.origin}/` && !/[?#]/.test(text) ? url.origin : undefined;
}

/** Checks that a URL has one of these protocols; it stays as it was written. */
function urlWith(...protocols: string[]): (text: string) => string | undefined {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return url !== undefined && protocols.includes(url.protocol) ? text : undefined;
  };
}

/** The user table keeps addresses in lower case. */
function emailOf(text: string): string | undefined {
  return isEmail(text) ? text.toLowerCase() : undefined;
}

function mailServerOf(text: string): string | undefined {
  const url = urlWith('smtp:', 'smtps:')(text);
  const from = url === undefined ? null : new URL(url).searchParams.get('from');
  return from === null || senderOf(from) !== undefined ? url : undefined;
}

/** `Name <address>` or an address, on one line. */
function senderOf(text: string): string | undefined {
  const address = /^[^<>\p{Cc}]*<([^<>\s]+)>$/u.exec(text)?.[1] ?? text;
  return isEmail(address) ? text : undefined;
}

/** A CIDR, or an address as the CIDR of itself. Octal, hexadecimal and short IPv4 are typing errors here. */
function cidrOf(text: string): string | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const isV4 = ipaddr.IPv4.isValidFourPartDecimal(address);
  if (more.length > 0 || !(isV4 || isPlainIPv6(address))) return undefined;
  const width = isV4 ? 32 : 128;
  if (bits === undefined) return `${address}/${width}`;
  return /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= width ? text : undefined;
}

function isPlainIPv6(address: string): boolean {
  return ipaddr.IPv6.isValid(address) && !address.includes('%');
}
