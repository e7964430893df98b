import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from './config.js';

const PEPPER = Buffer.alloc(32, 5).toString('base64');
const DATABASE_URL = 'postgresql://app:s3cret@localhost:5432/claviger';
const ADMIN = {
  ADMIN_EMAIL: 'Admin@Example.com',
  ADMIN_PASSWORD: 'correct horse battery',
  ORGANIZATION_NAME: 'Example',
};

const EVERYTHING = {
  PORT: '8080',
  HOST: '0.0.0.0',
  PUBLIC_URL: 'https://keys.example.com/',
  DATABASE_URL,
  DIRECT_DATABASE_URL: DATABASE_URL,
  DATA_DIR: '/var/lib/claviger',
  PEPPER,
  PEPPER_PREVIOUS: Buffer.alloc(32, 4).toString('base64'),
  ...ADMIN,
  TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1,fd00::/8,::1',
  LOG_LEVEL: 'silent',
  TOKEN_PREFIX: 'acme',
  PREPARED_STATEMENTS: 'false',
  REDIS_URL: 'redis://localhost',
  SMTP_URL: 'smtps://u:p@mail.example.com',
  MAIL_FROM: 'Acme <acme@example.com>',
  METRICS_TOKEN: 'abcdefghijklmnop',
  CORS_ORIGINS: 'https://a.example.com,http://localhost:5173',
  ACCESS_TOKEN_SECONDS: '60',
  AUDIT_RETENTION_MONTHS: '13',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20c3Bhbg==',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production,a=%3D',
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.01',
  WORKERS: '4',
};

function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return [...(error as ConfigError).faults];
  }
  return [];
}

describe('loadConfig', () => {
  it('needs nothing: an embedded server on port 3000', () => {
    expect(loadConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3000',
      dataDir: './data',
      trustedProxies: [],
      logLevel: 'info',
      preparedStatements: true,
      corsOrigins: [],
      accessTokenSeconds: 300,
      workers: 1,
    });
  });

  it('reads everything', () => {
    expect(loadConfig(EVERYTHING)).toEqual({
      port: 8080,
      host: '0.0.0.0',
      publicUrl: 'https://keys.example.com',
      databaseUrl: DATABASE_URL,
      directDatabaseUrl: DATABASE_URL,
      dataDir: '/var/lib/claviger',
      pepper: Buffer.alloc(32, 5),
      pepperPrevious: Buffer.alloc(32, 4),
      admin: {
        email: 'admin@example.com',
        password: 'correct horse battery',
        organizationName: 'Example',
      },
      trustedProxies: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::/8', '::1/128'],
      logLevel: 'silent',
      tokenPrefix: 'acme',
      preparedStatements: false,
      redisUrl: 'redis://localhost',
      smtpUrl: 'smtps://u:p@mail.example.com',
      mailFrom: 'Acme <acme@example.com>',
      metricsToken: 'abcdefghijklmnop',
      corsOrigins: ['https://a.example.com', 'http://localhost:5173'],
      accessTokenSeconds: 60,
      auditRetentionMonths: 13,
      tracing: {
        url: 'http://collector:4318/v1/traces',
        headers: 'authorization=Basic%20c3Bhbg==',
      },
      workers: 4,
    });
  });
});

describe('defaults', () => {
  it('takes an empty variable for none', () => {
    const empty = Object.fromEntries(variablesRead().map((name) => [name, '']));
    expect(loadConfig(empty)).toEqual(loadConfig({}));
  });

  it('makes the public URL from the port', () => {
    expect(loadConfig({ PORT: '0' })).toMatchObject({ port: 0, publicUrl: 'http://localhost:0' });
  });
});

describe('faults', () => {
  it.each<[string, string]>([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '0x50'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['WORKERS', '0'],
    ['ACCESS_TOKEN_SECONDS', '59'],
    ['ACCESS_TOKEN_SECONDS', '3601'],
    ['AUDIT_RETENTION_MONTHS', '0'],
    ['AUDIT_RETENTION_MONTHS', '1.5'],
    ['PUBLIC_URL', 'keys.example.com'],
    ['PUBLIC_URL', 'ftp://keys.example.com'],
    ['PUBLIC_URL', 'https://keys.example.com/path'],
    ['PUBLIC_URL', 'https://keys.example.com/?'],
    ['PUBLIC_URL', 'https://u:p@keys.example.com'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.example.com,'],
    ['CORS_ORIGINS', 'null'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.0/'],
    ['TRUSTED_PROXIES', '10.0/8'],
    ['TRUSTED_PROXIES', '010.0.0.0/8'],
    ['TRUSTED_PROXIES', 'fd00::/129'],
    ['TRUSTED_PROXIES', 'fe80::1%eth0'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['TRUSTED_PROXIES', 'true'],
    ['LOG_LEVEL', 'INFO'],
    ['LOG_LEVEL', 'verbose'],
    ['TOKEN_PREFIX', 'c'],
    ['TOKEN_PREFIX', 'Clv'],
    ['TOKEN_PREFIX', 'c_v'],
    ['TOKEN_PREFIX', '1clv'],
    ['TOKEN_PREFIX', 'abcdefghijk'],
    ['PREPARED_STATEMENTS', 'no'],
    ['REDIS_URL', 'localhost:6379'],
    ['SMTP_URL', 'mail.example.com'],
    ['SMTP_URL', 'smtp://mail.example.com?from=nobody'],
    ['MAIL_FROM', 'nobody'],
    ['MAIL_FROM', 'a@example.com, b@example.com'],
    ['MAIL_FROM', 'Acme <a@example.com>\nBcc: b@example.com'],
    ['METRICS_TOKEN', 'short'],
    ['METRICS_TOKEN', 'with spaces in the token'],
    ['PEPPER', 'short'],
    ['PEPPER', Buffer.alloc(32).toString('hex')],
    ['PEPPER_PREVIOUS', 'short'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://u:p@collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://collector/?key=x'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', '/v1/traces'],
  ])('finds %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: (entry \\d )?must be `)),
    ]);
  });
});

describe('traces', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

  it.each<[string, string]>([
    ['OTEL_EXPORTER_OTLP_HEADERS', 'canary'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a canary=x'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=%canary'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'canary'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b=canary'],
    ['OTEL_TRACES_SAMPLER', 'canary'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.1'],
    ['OTEL_TRACES_SAMPLER_ARG', '1%'],
    ['OTEL_TRACES_SAMPLER_ARG', '-1'],
  ])('find %s=%s, which is no matter where there are none', (name, value) => {
    const faults = faultsOf({ ...endpoint, [name]: value });
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name}: must be `))]);
    expect(faults.join()).not.toContain('canary');
    expect(faultsOf({ [name]: value })).toEqual([]);
  });

  it.each([
    ['http://collector:4318', 'http://collector:4318/v1/traces'],
    ['https://collector/otlp', 'https://collector/otlp/v1/traces'],
    ['https://collector/otlp/', 'https://collector/otlp/v1/traces'],
  ])('to %s are posted to %s', (base, url) => {
    expect(loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: base }).tracing).toEqual({ url });
  });

  it('go where their own endpoint says, just so', () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://tempo/api/traces' };
    expect(loadConfig({ ...endpoint, ...own }).tracing?.url).toBe('http://tempo/api/traces');
    expect(loadConfig(own).tracing?.url).toBe('http://tempo/api/traces');
  });
});

describe('ConfigError', () => {
  it('lists all in one message, a line each, without the values', () => {
    const env = {
      PORT: 'canary',
      LOG_LEVEL: 'canary',
      DATABASE_URL: 'mysql://app:canary@db/x',
      PEPPER: 'canary',
      ADMIN_EMAIL: 'canary',
      ADMIN_PASSWORD: 'canary',
      METRICS_TOKEN: 'canary',
      REDIS_URL: 'canary',
      SMTP_URL: 'canary',
      TRUSTED_PROXIES: 'canary',
    };
    expect(() => loadConfig(env)).toThrow(ConfigError);
    const lines = faultsOf(env);
    const names = lines.map((line) => line.split(':')[0]).sort();
    expect(names).toEqual([...Object.keys(env), 'ORGANIZATION_NAME'].sort());
    expect(new ConfigError(lines).message.split('\n')).toHaveLength(1 + lines.length);
    expect(new ConfigError(lines).message).not.toContain('canary');
  });

  it('wants a pepper with a database, and a database with workers', () => {
    expect(faultsOf({ DATABASE_URL })).toEqual([expect.stringMatching(/^PEPPER: /)]);
    expect(faultsOf({ DATABASE_URL, PEPPER, WORKERS: '2' })).toEqual([]);
    expect(faultsOf({ WORKERS: '2' })).toEqual([expect.stringMatching(/^WORKERS: .*DATABASE_URL/)]);
    expect(faultsOf({ DIRECT_DATABASE_URL: DATABASE_URL })).toEqual([
      expect.stringMatching(/^DIRECT_DATABASE_URL: /),
    ]);
    expect(faultsOf({ PEPPER })).toEqual([]);
  });

  it('wants a previous pepper to be another one', () => {
    expect(faultsOf({ PEPPER, PEPPER_PREVIOUS: PEPPER })).toEqual([
      expect.stringMatching(/^PEPPER_PREVIOUS: must be another/),
    ]);
  });

  it.each(Object.keys(ADMIN))('wants the administrator whole: %s alone, or without it', (name) => {
    const others = Object.keys(ADMIN).filter((other) => other !== name);
    const alone = { [name]: ADMIN[name as keyof typeof ADMIN] };
    expect(faultsOf(alone).map((line) => line.split(':')[0])).toEqual(others);
    expect(faultsOf({ ...ADMIN, [name]: '' })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: must be set too`)),
    ]);
  });

  it('holds the administrator to the rules of passwords and names', () => {
    expect(faultsOf({ ...ADMIN, ADMIN_PASSWORD: 'short' })).toEqual([
      'ADMIN_PASSWORD: must have at least 12 characters',
    ]);
    expect(faultsOf({ ...ADMIN, ADMIN_PASSWORD: 'Password123!' })).toEqual([
      'ADMIN_PASSWORD: must not be one that many people use',
    ]);
    expect(faultsOf({ ...ADMIN, ADMIN_PASSWORD: 'admin@example.com' })).toEqual([
      'ADMIN_PASSWORD: must not be your e-mail or name, nor the organization’s',
    ]);
    expect(faultsOf({ ...ADMIN, ORGANIZATION_NAME: 'a\nb' })).toHaveLength(1);
    expect(faultsOf({ ...ADMIN, ORGANIZATION_NAME: 'a'.repeat(101) })).toHaveLength(1);
  });
});

describe('secrets in files', () => {
  let folder: string;
  let count = 0;
  const file = (content: string): string => {
    const path = join(folder, String(count++));
    writeFileSync(path, content);
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'claviger-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads each of them', () => {
    const config = loadConfig({
      ...ADMIN,
      ADMIN_PASSWORD: '',
      ADMIN_PASSWORD_FILE: file(' correct horse battery \r\n'),
      PEPPER_FILE: file(`${PEPPER}\n`),
      DATABASE_URL_FILE: file(`${DATABASE_URL}\n`),
      DIRECT_DATABASE_URL_FILE: file(DATABASE_URL),
      REDIS_URL_FILE: file('redis://localhost\n'),
      SMTP_URL_FILE: file('smtp://localhost\n'),
      METRICS_TOKEN_FILE: file('abcdefghijklmnop\n'),
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS_FILE: file('authorization=Bearer%20x\n'),
    });
    expect(config).toMatchObject({
      admin: { password: ' correct horse battery ' },
      pepper: Buffer.alloc(32, 5),
      databaseUrl: DATABASE_URL,
      directDatabaseUrl: DATABASE_URL,
      redisUrl: 'redis://localhost',
      smtpUrl: 'smtp://localhost',
      metricsToken: 'abcdefghijklmnop',
      tracing: { headers: 'authorization=Bearer%20x' },
    });
  });

  it('refuses a missing file, an empty one, a folder, and both ways at once', () => {
    expect(faultsOf({ PEPPER_FILE: join(folder, 'none') })).toEqual([
      'PEPPER_FILE: must name a file that can be read (ENOENT)',
    ]);
    expect(faultsOf({ PEPPER_FILE: file('\n') })).toEqual([
      'PEPPER_FILE: must name a file that is not empty',
    ]);
    expect(faultsOf({ PEPPER_FILE: folder })).toEqual([expect.stringContaining('EISDIR')]);
    expect(faultsOf({ PEPPER, PEPPER_FILE: file(PEPPER) })).toEqual([
      'PEPPER: must not be set together with PEPPER_FILE',
    ]);
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(process.cwd(), '.env.example'), 'utf8').split('\n');

  it('has a commented line, under a sentence, for every variable that is read, and for no other', () => {
    const variables = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect([...variables].sort()).toEqual(variablesRead());
    lines.forEach((line, index) => {
      if (!/^#[A-Z_]+=/.test(line)) return;
      const before = lines[index - 1] ?? '';
      expect(before).toMatch(/^# .*\.$|^#[A-Z_]+=/);
    });
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('has example values that work', () => {
    const env = Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^#([A-Z_]+)=(.*)$/.exec(line) ?? [];
        return name && !name.endsWith('_FILE') ? [[name, value]] : [];
      }),
    );
    expect(faultsOf({ ...env, PEPPER, ADMIN_PASSWORD: ADMIN.ADMIN_PASSWORD })).toEqual([]);
  });
});

/** The name of every variable that loadConfig asks the environment for, sorted. */
function variablesRead(): string[] {
  const names = new Set<string>();
  const spy = new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get(_target, name) {
        names.add(String(name));
        return undefined;
      },
    },
  );
  loadConfig(spy);
  return [...names].sort();
}
